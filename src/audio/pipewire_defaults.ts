/**
 * Which sink should be the default after some of ours are gone.
 *
 * Each claim remembers the default it replaced, so claims form chains that end at what a person chose. Closing one claim
 * in whatever order takes its link out of the chains. A default that is none of ours was chosen by somebody meanwhile and
 * stays.
 *
 * @module
 */

export interface DefaultClaim {
  readonly sinkName: string;
  /** The configured default before the claim; null when none was configured. */
  readonly replaced: string | null;
}

/** The configured default once the sinks of `gone` are gone, `current` being what it is now. */
export function defaultWithout(
  current: string | null,
  gone: readonly DefaultClaim[],
): string | null {
  let name = current;
  // A claim is followed at most once, so that a damaged journal cannot make a circle.
  const left = new Map(gone.map((claim) => [claim.sinkName, claim.replaced]));
  for (;;) {
    const replaced = name === null ? undefined : left.get(name);
    if (name === null || replaced === undefined) return name;
    left.delete(name);
    name = replaced;
  }
}

/** The claims that remain when `gone` closes. */
export function claimsWithout<C extends DefaultClaim>(claims: readonly C[], gone: C): C[] {
  return claims.filter((claim) => claim !== gone)
    .map((claim) => ({ ...claim, replaced: defaultWithout(claim.replaced, [gone]) }));
}

/** The sink's name in a value of PipeWire's "default" metadata, `{"name":"…"}`; null when there is none. */
export function parseDefaultName(value: string | undefined): string | null {
  if (value === undefined) return null;
  try {
    const name = (JSON.parse(value) as { name?: unknown } | null)?.name;
    return typeof name === "string" && name !== "" ? name : null;
  } catch {
    return null;
  }
}

/** The other way round; undefined unsets the default. */
export function encodeDefaultName(name: string | null): string | undefined {
  return name === null ? undefined : JSON.stringify({ name });
}
