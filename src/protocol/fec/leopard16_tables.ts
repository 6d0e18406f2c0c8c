/**
 * The field GF(2^16) of the Leopard code as tables of u16. punktfunk/1 specification 4.8.1.
 *
 *     polynomial     x¹⁶+x⁵+x³+x²+1 (0x1002D), generator α = x
 *     element i      the sum of the Cantor basis elements b(j) over the set bits j of i; addition stays XOR
 *     logarithms     65536: log of element i, MODULUS for element 0, which has none
 *     exponents      65536: element α^n; entry MODULUS repeats entry 0
 *     skews          65535: logarithms of the twiddle factors, MODULUS where the factor is 0
 *     logWalsh       65536: Walsh–Hadamard transform of the logarithms, entry 0 taken as 0
 *
 * Logarithms count modulo 65535, and 0 and 65535 mean the same wherever they are sums.
 *
 * @module
 */

/** Order of the multiplicative group. */
export const LEOPARD16_MODULUS = 65535;
/** Number of field elements. */
export const LEOPARD16_ORDER = 65536;

const POLYNOMIAL = 0x1002d;
const FIELD_BITS = 16;
// deno-fmt-ignore
const CANTOR_BASIS = [
  0x0001, 0xacca, 0x3c0e, 0x163e, 0xc582, 0xed2e, 0x914c, 0x4012,
  0x6c98, 0x10d8, 0x6a72, 0xb900, 0xfdb8, 0xfb34, 0xff38, 0x991e,
];

export interface Leopard16Tables {
  readonly exponents: Uint16Array;
  readonly logarithms: Uint16Array;
  readonly skews: Uint16Array;
  readonly logWalsh: Uint16Array;
}

let tables: Leopard16Tables | undefined;

/** Half a megabyte, made on the first call. */
export function leopard16Tables(): Leopard16Tables {
  if (tables !== undefined) return tables;
  const { exponents, logarithms } = makeLogarithms();
  const logWalsh = Uint16Array.from(logarithms);
  logWalsh[0] = 0;
  walshTransform(logWalsh);
  tables = { exponents, logarithms, skews: makeSkews(exponents, logarithms), logWalsh };
  return tables;
}

/** a + b modulo 65535. */
export function addLogarithms(a: number, b: number): number {
  const sum = a + b;
  return (sum + (sum >>> 16)) & 0xffff;
}

/** Walsh–Hadamard transform of 65536 values modulo 65535, in place. */
export function walshTransform(values: Uint16Array): void {
  for (let distance = 1; distance < LEOPARD16_ORDER; distance *= 2) {
    for (let first = 0; first < LEOPARD16_ORDER; first += 2 * distance) {
      for (let index = first; index < first + distance; index++) {
        const a = values[index] ?? 0;
        const b = values[index + distance] ?? 0;
        const difference = a - b;
        values[index] = addLogarithms(a, b);
        values[index + distance] = difference + (difference >>> 16);
      }
    }
  }
}

function makeLogarithms(): { exponents: Uint16Array; logarithms: Uint16Array } {
  const powerLogarithms = new Uint16Array(LEOPARD16_ORDER);
  for (let exponent = 0, power = 1; exponent < LEOPARD16_MODULUS; exponent++) {
    powerLogarithms[power] = exponent;
    power <<= 1;
    if (power >= LEOPARD16_ORDER) power ^= POLYNOMIAL;
  }
  powerLogarithms[0] = LEOPARD16_MODULUS;

  const values = new Uint16Array(LEOPARD16_ORDER);
  CANTOR_BASIS.forEach((basis, bit) => {
    const width = 1 << bit;
    for (let index = 0; index < width; index++) {
      values[width + index] = (values[index] ?? 0) ^ basis;
    }
  });
  const logarithms = new Uint16Array(LEOPARD16_ORDER);
  const exponents = new Uint16Array(LEOPARD16_ORDER);
  for (let index = 0; index < LEOPARD16_ORDER; index++) {
    const logarithm = powerLogarithms[values[index] ?? 0] ?? 0;
    logarithms[index] = logarithm;
    exponents[logarithm] = index;
  }
  exponents[LEOPARD16_MODULUS] = exponents[0] ?? 0;
  return { exponents, logarithms };
}

/** The subspace polynomials of the transform at each of its points, one layer m after another. */
function makeSkews(exponents: Uint16Array, logarithms: Uint16Array): Uint16Array {
  const log = (element: number) => logarithms[element] ?? 0;
  const multiply = (element: number, logarithm: number) =>
    element === 0 ? 0 : exponents[addLogarithms(log(element), logarithm)] ?? 0;

  const skews = new Uint16Array(LEOPARD16_MODULUS);
  const factors = Array.from({ length: FIELD_BITS - 1 }, (_, bit) => 2 << bit);
  for (let m = 0; m < FIELD_BITS - 1; m++) {
    const first = (1 << m) - 1;
    const step = 2 << m;
    for (let bit = m; bit < FIELD_BITS - 1; bit++) {
      const width = 2 << bit;
      for (let index = first; index < width; index += step) {
        skews[index + width] = (skews[index] ?? 0) ^ (factors[bit] ?? 0);
      }
    }
    const own = factors[m] ?? 0;
    const normaliser = LEOPARD16_MODULUS - log(multiply(own, log(own ^ 1)));
    for (let bit = m + 1; bit < FIELD_BITS - 1; bit++) {
      const factor = factors[bit] ?? 0;
      factors[bit] = multiply(factor, addLogarithms(log(factor ^ 1), normaliser));
    }
  }
  return skews.map(log);
}
