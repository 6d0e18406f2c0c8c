/* A full-screen Wayland client for tests.
 *
 *     sway_client OUTPUT moving|still
 *
 * Draws a 32-bit counter as 32 blocks of 16x16 pixels along the top (most significant first, white is 1) over a plain
 * ground, and colour bars along the bottom: red, green, blue, white. "moving" draws a new picture for each one shown,
 * "still" only for each line on stdin. Every event is a line of JSON on stdout; the end of stdin ends the client. */
#include <dlfcn.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <wayland-client.h>

#include "xdg-shell-client.h"

#define BUFFERS 3
#define OUTPUTS 64

struct buffer {
  struct wl_buffer *proxy;
  uint32_t *pixels;
  int width, height;
  bool is_busy;
};

static struct wl_compositor *compositor;
static struct wl_shm *shm;
static struct xdg_wm_base *shell;
static struct wl_seat *seat;
static struct wl_surface *surface;
static struct wl_pointer *pointer;
static struct wl_keyboard *keyboard;
static struct {
  struct wl_output *proxy;
  char name[64];
} outputs[OUTPUTS];
static int output_count;
static struct buffer buffers[BUFFERS];
/* Until the compositor says better. */
static int width = 640, height = 480;
static uint32_t counter;
static bool is_moving, is_configured, is_closed;

/* libxkbcommon comes with any compositor; its headers need not be there. */
static struct {
  void *(*context_new)(int);
  void *(*keymap_new_from_string)(void *, const char *, int, int);
  void *(*state_new)(void *);
  void (*state_unref)(void *);
  void (*keymap_unref)(void *);
  int (*state_update_mask)(void *, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t, uint32_t);
  int (*state_key_get_utf8)(void *, uint32_t, char *, size_t);
} xkb;
static void *xkb_context, *xkb_state;

static bool load_xkb(void) {
  void *library = dlopen("libxkbcommon.so.0", RTLD_NOW);
  if (library == NULL) return false;
  *(void **)&xkb.context_new = dlsym(library, "xkb_context_new");
  *(void **)&xkb.keymap_new_from_string = dlsym(library, "xkb_keymap_new_from_string");
  *(void **)&xkb.state_new = dlsym(library, "xkb_state_new");
  *(void **)&xkb.state_unref = dlsym(library, "xkb_state_unref");
  *(void **)&xkb.keymap_unref = dlsym(library, "xkb_keymap_unref");
  *(void **)&xkb.state_update_mask = dlsym(library, "xkb_state_update_mask");
  *(void **)&xkb.state_key_get_utf8 = dlsym(library, "xkb_state_key_get_utf8");
  xkb_context = xkb.context_new(0);
  return xkb_context != NULL;
}

static void buffer_release(void *data, struct wl_buffer *proxy) {
  (void)proxy;
  ((struct buffer *)data)->is_busy = false;
}
static const struct wl_buffer_listener buffer_listener = {buffer_release};

static struct buffer *free_buffer(void) {
  for (int index = 0; index < BUFFERS; index++) {
    struct buffer *buffer = &buffers[index];
    if (buffer->is_busy) continue;
    if (buffer->proxy != NULL && buffer->width == width && buffer->height == height) return buffer;
    if (buffer->proxy != NULL) {
      wl_buffer_destroy(buffer->proxy);
      munmap(buffer->pixels, (size_t)buffer->width * buffer->height * 4);
    }
    int size = width * height * 4;
    int fd = memfd_create("sway_client", 0);
    if (ftruncate(fd, size) != 0) exit(3);
    buffer->pixels = mmap(NULL, (size_t)size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    struct wl_shm_pool *pool = wl_shm_create_pool(shm, fd, size);
    buffer->proxy = wl_shm_pool_create_buffer(pool, 0, width, height, width * 4, WL_SHM_FORMAT_XRGB8888);
    wl_shm_pool_destroy(pool);
    close(fd);
    buffer->width = width;
    buffer->height = height;
    wl_buffer_add_listener(buffer->proxy, &buffer_listener, buffer);
    return buffer;
  }
  return NULL;
}

static void draw(void);

static void frame_done(void *data, struct wl_callback *callback, uint32_t time) {
  (void)data, (void)time;
  wl_callback_destroy(callback);
  if (is_moving) draw();
}
static const struct wl_callback_listener frame_listener = {frame_done};

static void paint(struct buffer *buffer) {
  static const uint32_t bars[4] = {0xff0000, 0x00ff00, 0x0000ff, 0xffffff};
  for (int y = 0; y < height; y++) {
    uint32_t *row = buffer->pixels + (size_t)y * width;
    for (int x = 0; x < width; x++) row[x] = y >= height - 16 ? bars[x * 4 / width] : 0x203040;
    if (y >= 16) continue;
    for (int x = 0; x < 512 && x < width; x++) row[x] = (counter >> (31 - x / 16)) & 1 ? 0xffffff : 0;
  }
}

static void draw(void) {
  struct buffer *buffer = free_buffer();
  if (buffer == NULL) return;
  counter++;
  paint(buffer);
  buffer->is_busy = true;
  struct wl_callback *callback = wl_surface_frame(surface);
  wl_callback_add_listener(callback, &frame_listener, NULL);
  wl_surface_attach(surface, buffer->proxy, 0, 0);
  wl_surface_damage_buffer(surface, 0, 0, width, height);
  wl_surface_commit(surface);
  if (!is_moving) printf("{\"event\":\"drawn\",\"counter\":%u}\n", counter);
}

static void surface_configure(void *data, struct xdg_surface *xdg_surface, uint32_t serial) {
  (void)data;
  xdg_surface_ack_configure(xdg_surface, serial);
  is_configured = true;
  draw();
}
static const struct xdg_surface_listener surface_listener = {surface_configure};

static void toplevel_configure(void *data, struct xdg_toplevel *toplevel, int32_t w, int32_t h, struct wl_array *states) {
  (void)data, (void)toplevel, (void)states;
  if (w > 0 && h > 0) {
    width = w;
    height = h;
    printf("{\"event\":\"configure\",\"width\":%d,\"height\":%d}\n", width, height);
  }
}
static void toplevel_close(void *data, struct xdg_toplevel *toplevel) {
  (void)data, (void)toplevel;
  is_closed = true;
}
static const struct xdg_toplevel_listener toplevel_listener = {.configure = toplevel_configure, .close = toplevel_close};

static void shell_ping(void *data, struct xdg_wm_base *base, uint32_t serial) {
  (void)data;
  xdg_wm_base_pong(base, serial);
}
static const struct xdg_wm_base_listener shell_listener = {shell_ping};

static void print_place(const char *event, wl_fixed_t x, wl_fixed_t y) {
  printf("{\"event\":\"%s\",\"x\":%.4f,\"y\":%.4f}\n", event, wl_fixed_to_double(x), wl_fixed_to_double(y));
}
static void pointer_enter(void *data, struct wl_pointer *p, uint32_t serial, struct wl_surface *s, wl_fixed_t x,
                          wl_fixed_t y) {
  (void)data, (void)p, (void)serial, (void)s;
  print_place("enter", x, y);
}
static void pointer_leave(void *data, struct wl_pointer *p, uint32_t serial, struct wl_surface *s) {
  (void)data, (void)p, (void)serial, (void)s;
  puts("{\"event\":\"leave\"}");
}
static void pointer_motion(void *data, struct wl_pointer *p, uint32_t time, wl_fixed_t x, wl_fixed_t y) {
  (void)data, (void)p, (void)time;
  print_place("motion", x, y);
}
static void pointer_button(void *data, struct wl_pointer *p, uint32_t serial, uint32_t time, uint32_t button,
                           uint32_t state) {
  (void)data, (void)p, (void)serial, (void)time;
  printf("{\"event\":\"button\",\"code\":%u,\"isDown\":%s}\n", button, state ? "true" : "false");
}
static void pointer_axis(void *data, struct wl_pointer *p, uint32_t time, uint32_t axis, wl_fixed_t value) {
  (void)data, (void)p, (void)time;
  printf("{\"event\":\"axis\",\"axis\":%u,\"value\":%.4f}\n", axis, wl_fixed_to_double(value));
}
static void pointer_frame(void *data, struct wl_pointer *p) { (void)data, (void)p; }
static void pointer_axis_source(void *data, struct wl_pointer *p, uint32_t source) {
  (void)data, (void)p;
  printf("{\"event\":\"axis-source\",\"source\":%u}\n", source);
}
static void pointer_axis_stop(void *data, struct wl_pointer *p, uint32_t time, uint32_t axis) {
  (void)data, (void)p, (void)time;
  printf("{\"event\":\"axis-stop\",\"axis\":%u}\n", axis);
}
static void pointer_axis_discrete(void *data, struct wl_pointer *p, uint32_t axis, int32_t steps) {
  (void)data, (void)p;
  printf("{\"event\":\"axis-discrete\",\"axis\":%u,\"steps\":%d}\n", axis, steps);
}
static const struct wl_pointer_listener pointer_listener = {
    .enter = pointer_enter,
    .leave = pointer_leave,
    .motion = pointer_motion,
    .button = pointer_button,
    .axis = pointer_axis,
    .frame = pointer_frame,
    .axis_source = pointer_axis_source,
    .axis_stop = pointer_axis_stop,
    .axis_discrete = pointer_axis_discrete,
};

static void keyboard_keymap(void *data, struct wl_keyboard *k, uint32_t format, int32_t fd, uint32_t size) {
  (void)data, (void)k;
  if (format != WL_KEYBOARD_KEYMAP_FORMAT_XKB_V1) {
    close(fd);
    puts("{\"event\":\"no-keymap\"}");
    return;
  }
  char *text = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
  close(fd);
  if (text == MAP_FAILED) exit(4);
  void *keymap = xkb.keymap_new_from_string(xkb_context, text, 1, 0);
  munmap(text, size);
  if (xkb_state != NULL) xkb.state_unref(xkb_state);
  xkb_state = keymap == NULL ? NULL : xkb.state_new(keymap);
  if (keymap != NULL) xkb.keymap_unref(keymap);
  printf("{\"event\":\"keymap\",\"isValid\":%s}\n", xkb_state == NULL ? "false" : "true");
}
static void keyboard_enter(void *data, struct wl_keyboard *k, uint32_t serial, struct wl_surface *s,
                           struct wl_array *keys) {
  (void)data, (void)k, (void)serial, (void)s;
  printf("{\"event\":\"keyboard-enter\",\"held\":%zu}\n", keys->size / 4);
}
static void keyboard_leave(void *data, struct wl_keyboard *k, uint32_t serial, struct wl_surface *s) {
  (void)data, (void)k, (void)serial, (void)s;
  puts("{\"event\":\"keyboard-leave\"}");
}
static void keyboard_key(void *data, struct wl_keyboard *k, uint32_t serial, uint32_t time, uint32_t key,
                         uint32_t state) {
  (void)data, (void)k, (void)serial, (void)time;
  unsigned char text[16] = {0};
  /* XKB counts from 8. */
  if (xkb_state != NULL) xkb.state_key_get_utf8(xkb_state, key + 8, (char *)text, sizeof(text));
  printf("{\"event\":\"key\",\"code\":%u,\"isDown\":%s,\"text\":\"", key, state ? "true" : "false");
  for (unsigned char *byte = text; *byte != 0; byte++) {
    if (*byte < 0x20 || *byte == '"' || *byte == '\\' || *byte == 0x7f) printf("\\u%04x", *byte);
    else putchar(*byte);
  }
  puts("\"}");
}
static void keyboard_modifiers(void *data, struct wl_keyboard *k, uint32_t serial, uint32_t depressed,
                               uint32_t latched, uint32_t locked, uint32_t group) {
  (void)data, (void)k, (void)serial;
  if (xkb_state != NULL) xkb.state_update_mask(xkb_state, depressed, latched, locked, 0, 0, group);
  printf("{\"event\":\"modifiers\",\"depressed\":%u,\"latched\":%u,\"locked\":%u,\"group\":%u}\n", depressed, latched,
         locked, group);
}
static void keyboard_repeat_info(void *data, struct wl_keyboard *k, int32_t rate, int32_t delay) {
  (void)data, (void)k, (void)rate, (void)delay;
}
static const struct wl_keyboard_listener keyboard_listener = {
    .keymap = keyboard_keymap,
    .enter = keyboard_enter,
    .leave = keyboard_leave,
    .key = keyboard_key,
    .modifiers = keyboard_modifiers,
    .repeat_info = keyboard_repeat_info,
};

static void seat_capabilities(void *data, struct wl_seat *s, uint32_t capabilities) {
  (void)data;
  bool has_pointer = (capabilities & WL_SEAT_CAPABILITY_POINTER) != 0;
  bool has_keyboard = (capabilities & WL_SEAT_CAPABILITY_KEYBOARD) != 0;
  if (has_pointer && pointer == NULL) {
    pointer = wl_seat_get_pointer(s);
    wl_pointer_add_listener(pointer, &pointer_listener, NULL);
  } else if (!has_pointer && pointer != NULL) {
    wl_pointer_release(pointer);
    pointer = NULL;
  }
  if (has_keyboard && keyboard == NULL) {
    keyboard = wl_seat_get_keyboard(s);
    wl_keyboard_add_listener(keyboard, &keyboard_listener, NULL);
  } else if (!has_keyboard && keyboard != NULL) {
    wl_keyboard_release(keyboard);
    keyboard = NULL;
  }
  printf("{\"event\":\"seat\",\"hasPointer\":%s,\"hasKeyboard\":%s}\n", has_pointer ? "true" : "false",
         has_keyboard ? "true" : "false");
}
static void seat_name(void *data, struct wl_seat *s, const char *name) { (void)data, (void)s, (void)name; }
static const struct wl_seat_listener seat_listener = {seat_capabilities, seat_name};

static void output_geometry(void *data, struct wl_output *o, int32_t x, int32_t y, int32_t w, int32_t h, int32_t sub,
                            const char *make, const char *model, int32_t transform) {
  (void)data, (void)o, (void)x, (void)y, (void)w, (void)h, (void)sub, (void)make, (void)model, (void)transform;
}
static void output_mode(void *data, struct wl_output *o, uint32_t flags, int32_t w, int32_t h, int32_t refresh) {
  (void)data, (void)o, (void)flags, (void)w, (void)h, (void)refresh;
}
static void output_done(void *data, struct wl_output *o) { (void)data, (void)o; }
static void output_scale(void *data, struct wl_output *o, int32_t factor) { (void)data, (void)o, (void)factor; }
static void output_name(void *data, struct wl_output *o, const char *name) {
  (void)o;
  snprintf(outputs[(intptr_t)data].name, sizeof(outputs[0].name), "%s", name);
}
static void output_description(void *data, struct wl_output *o, const char *text) { (void)data, (void)o, (void)text; }
static const struct wl_output_listener output_listener = {output_geometry, output_mode, output_done,
                                                          output_scale,    output_name, output_description};

static void registry_global(void *data, struct wl_registry *registry, uint32_t id, const char *interface,
                            uint32_t version) {
  (void)data;
  if (strcmp(interface, "wl_compositor") == 0) {
    compositor = wl_registry_bind(registry, id, &wl_compositor_interface, 4);
  } else if (strcmp(interface, "wl_shm") == 0) {
    shm = wl_registry_bind(registry, id, &wl_shm_interface, 1);
  } else if (strcmp(interface, "xdg_wm_base") == 0) {
    shell = wl_registry_bind(registry, id, &xdg_wm_base_interface, 1);
    xdg_wm_base_add_listener(shell, &shell_listener, NULL);
  } else if (strcmp(interface, "wl_seat") == 0 && seat == NULL) {
    seat = wl_registry_bind(registry, id, &wl_seat_interface, 5);
    wl_seat_add_listener(seat, &seat_listener, NULL);
  } else if (strcmp(interface, "wl_output") == 0 && version >= 4 && output_count < OUTPUTS) {
    outputs[output_count].proxy = wl_registry_bind(registry, id, &wl_output_interface, 4);
    wl_output_add_listener(outputs[output_count].proxy, &output_listener, (void *)(intptr_t)output_count);
    output_count++;
  }
}
static void registry_global_remove(void *data, struct wl_registry *registry, uint32_t id) {
  (void)data, (void)registry, (void)id;
}
static const struct wl_registry_listener registry_listener = {registry_global, registry_global_remove};

/* One turn: wait for the compositor or stdin. False ends the program. */
static bool turn(struct wl_display *display) {
  while (wl_display_prepare_read(display) != 0) wl_display_dispatch_pending(display);
  wl_display_flush(display);
  fflush(stdout);
  struct pollfd waited[2] = {{wl_display_get_fd(display), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
  poll(waited, 2, -1);
  if (waited[0].revents != 0) {
    if (wl_display_read_events(display) < 0) return false;
  } else {
    wl_display_cancel_read(display);
  }
  if (waited[1].revents != 0) {
    char line[64];
    if (read(STDIN_FILENO, line, sizeof(line)) <= 0) return false;
    if (is_configured) draw();
  }
  return wl_display_dispatch_pending(display) >= 0 && !is_closed;
}

int main(int count, char **arguments) {
  if (count != 3 || !load_xkb()) return 64;
  is_moving = strcmp(arguments[2], "moving") == 0;
  struct wl_display *display = wl_display_connect(NULL);
  if (display == NULL) return 2;
  struct wl_registry *registry = wl_display_get_registry(display);
  wl_registry_add_listener(registry, &registry_listener, NULL);
  wl_display_roundtrip(display);
  wl_display_roundtrip(display);
  struct wl_output *output = NULL;
  for (int index = 0; index < output_count; index++) {
    if (strcmp(outputs[index].name, arguments[1]) == 0) output = outputs[index].proxy;
  }
  if (compositor == NULL || shm == NULL || shell == NULL || output == NULL) return 2;
  surface = wl_compositor_create_surface(compositor);
  struct xdg_surface *xdg_surface = xdg_wm_base_get_xdg_surface(shell, surface);
  xdg_surface_add_listener(xdg_surface, &surface_listener, NULL);
  struct xdg_toplevel *toplevel = xdg_surface_get_toplevel(xdg_surface);
  xdg_toplevel_add_listener(toplevel, &toplevel_listener, NULL);
  xdg_toplevel_set_app_id(toplevel, "sway_client");
  xdg_toplevel_set_fullscreen(toplevel, output);
  wl_surface_commit(surface);
  while (turn(display)) {
  }
  return 0;
}
