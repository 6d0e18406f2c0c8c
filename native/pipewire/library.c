#include "library.h"

#include <dlfcn.h>
#include <stdlib.h>

#include "pipewire.h"

static int resolve(void *object, const char *name, void *field) {
  void *address = dlsym(object, name);
  if (address == NULL) return 0;
  /* POSIX makes this legal; ISO C has no cast between the two kinds of pointer. */
  *(void **)field = address;
  return 1;
}

int32_t pf_library_open(struct pf_library *library, const char *soname) {
  /* Never closed again: libpipewire keeps threads' and plugins' state that does not survive unloading. */
  void *object = dlopen(soname, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (object == NULL) return PF_PIPEWIRE_ELIBRARY;
  int is_whole = 1;
#define PF_LIBRARY_RESOLVE(name) is_whole &= resolve(object, #name, &library->name);
  PF_LIBRARY_FUNCTIONS(PF_LIBRARY_RESOLVE)
#undef PF_LIBRARY_RESOLVE
  if (!is_whole) {
    dlclose(object);
    return PF_PIPEWIRE_ELIBRARY;
  }
  library->pw_init(NULL, NULL);
  /* It prints to stderr otherwise, e.g. when the server ends. Statuses say the same. */
  if (getenv("PIPEWIRE_DEBUG") == NULL) library->pw_log_set_level(SPA_LOG_LEVEL_NONE);
  return PF_PIPEWIRE_OK;
}
