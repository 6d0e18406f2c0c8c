/**
 * Where PipeWire's socket lies, by the same variables its own clients follow.
 *
 * @module
 */

/**
 * The absolute path, or undefined when the environment names no directory. `PIPEWIRE_REMOTE` gives another name than
 * "pipewire-0", or a path; `PIPEWIRE_RUNTIME_DIR` goes before `XDG_RUNTIME_DIR`.
 */
export function pipewireSocketPath(
  environment: { get(name: string): string | undefined },
): string | undefined {
  const name = environment.get("PIPEWIRE_REMOTE") || "pipewire-0";
  if (name.startsWith("/")) return name;
  const directory = environment.get("PIPEWIRE_RUNTIME_DIR") || environment.get("XDG_RUNTIME_DIR");
  return directory?.startsWith("/") ? `${directory.replace(/\/+$/, "")}/${name}` : undefined;
}
