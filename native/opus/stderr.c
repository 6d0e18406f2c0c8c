/*
 * Debian's libopus.a is built for executables: it reaches `stderr` by an address fixed at link time, which a shared object
 * cannot do to a variable of the C library. This one lies in the shim itself and names the same stream. Only libopus's
 * report of a broken invariant, right before abort(), writes to it.
 */
struct _IO_FILE_plus;
extern struct _IO_FILE_plus _IO_2_1_stderr_;

__attribute__((visibility("hidden"))) struct _IO_FILE_plus *stderr = &_IO_2_1_stderr_;
