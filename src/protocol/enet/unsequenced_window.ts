/**
 * Which unsequenced groups of a peer were seen (GameStream specification 5.4). Groups count from 1 over all channels.
 *
 * @module
 */

const WINDOW_GROUPS = 1024;
const WINDOWS_AHEAD = 32;

/** Remembers one aligned window of 1024 groups; a group past it moves the window. */
export class UnsequencedWindow {
  #firstGroup = 0;
  readonly #isSeen = new Uint8Array(WINDOW_GROUPS);

  /** True when `group` is new and near enough; it then counts as seen. */
  accept(group: number): boolean {
    const index = group % WINDOW_GROUPS;
    const unwrapped = group < this.#firstGroup ? group + 0x10000 : group;
    if (unwrapped >= this.#firstGroup + WINDOWS_AHEAD * WINDOW_GROUPS) return false;
    const first = group - index;
    if (first !== this.#firstGroup) {
      this.#firstGroup = first;
      this.#isSeen.fill(0);
    } else if (this.#isSeen[index] === 1) {
      return false;
    }
    this.#isSeen[index] = 1;
    return true;
  }
}
