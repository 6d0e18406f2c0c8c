/**
 * Parsers of numbers in flags. What they throw completes "Cannot use FLAG: …".
 *
 * @module
 */

export interface NumberRange {
  /** Smallest number allowed; or, with `above`, the number that all must exceed. */
  readonly least?: number;
  readonly above?: number;
  readonly most: number;
}

export function wholeNumber(range: NumberRange): (text: string) => number {
  return numberParser(/^[0-9]{1,15}$/, "a whole number", range);
}

export function decimalNumber(range: NumberRange): (text: string) => number {
  return numberParser(/^[0-9]{1,15}(\.[0-9]{1,9})?$/, "a number", range);
}

function numberParser(form: RegExp, noun: string, { least, above, most }: NumberRange) {
  const low = above === undefined ? `${least ?? 0} to` : `more than ${above}, up to`;
  return (text: string): number => {
    const number = Number(text);
    const isHighEnough = above === undefined ? number >= (least ?? 0) : number > above;
    if (!form.test(text) || !isHighEnough || number > most) {
      throw new RangeError(`it must be ${noun}, ${low} ${most}`);
    }
    return number;
  };
}
