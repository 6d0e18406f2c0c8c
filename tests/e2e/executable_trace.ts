/**
 * Reads what `strace -ff -e trace=file,network` wrote about a program: which files it made or changed, and whom it spoke to.
 *
 * @module
 */

/** Calls that change something under a name. */
const CHANGING =
  /^(creat|mkdir|mkdirat|mknod|mknodat|rename|renameat2?|link|linkat|symlink|symlinkat|unlink|unlinkat|rmdir|truncate|chmod|fchmodat2?|chown|lchown|fchownat|utimensat|setxattr)\(/;
const OPENING_TO_WRITE = /^open(at)?\(.*\bO_(WRONLY|RDWR|CREAT|TRUNC|APPEND)\b/;

/** Paths of everything that was made, changed, removed or opened for writing. Devices and failed calls are left out. */
export function filesTouched(trace: string): string[] {
  const paths = new Set<string>();
  for (const line of trace.split("\n")) {
    if (/ = -1 E\w+ /.test(line) || !(CHANGING.test(line) || OPENING_TO_WRITE.test(line))) continue;
    for (const [, path = ""] of line.matchAll(/"((?:[^"\\]|\\.)*)"/g)) paths.add(path);
  }
  paths.delete("/dev/null");
  return [...paths];
}

/** "address:port" of every socket that was bound, and of every peer on a network that was asked for. */
export function networkUsed(
  trace: string,
): { readonly bound: string[]; readonly connected: string[] } {
  const addresses = (call: string) =>
    trace.split("\n").filter((line) => line.startsWith(`${call}(`)).flatMap((line) => {
      const found = /sin6?_port=htons\((\d+)\).*?"([^"]+)"/.exec(line);
      return found === null ? [] : [`${found[2]}:${found[1]}`];
    });
  return { bound: addresses("bind"), connected: [...addresses("connect"), ...addresses("sendto")] };
}
