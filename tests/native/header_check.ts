/**
 * Compares the functions that a shim's header declares with the symbol table that binds them.
 *
 *     int32_t pf_x_put(struct pf_x *x, const uint8_t *bytes, size_t bytes_len);     the header
 *     pf_x_put: { parameters: ["pointer", "buffer", "usize"], result: "i32" }       the table
 *
 * @module
 */

/** One symbol of a table; `name` binds a function under another key. */
export interface BoundSymbol {
  readonly name?: string;
  readonly parameters: readonly unknown[];
  readonly result: unknown;
}

export type SymbolTable = Readonly<Record<string, BoundSymbol>>;

export interface Declaration {
  readonly name: string;
  readonly parameters: readonly string[];
  readonly result: string;
}

/** Which FFI types a C type may be bound as. Pointers are apart. */
const SCALARS: Readonly<Record<string, string>> = {
  "void": "void",
  "bool": "bool",
  "_Bool": "bool",
  "int": "i32",
  "unsigned": "u32",
  "unsigned int": "u32",
  "int8_t": "i8",
  "uint8_t": "u8",
  "int16_t": "i16",
  "uint16_t": "u16",
  "int32_t": "i32",
  "uint32_t": "u32",
  "int64_t": "i64",
  "uint64_t": "u64",
  "size_t": "usize",
  "ssize_t": "isize",
  "intptr_t": "isize",
  "uintptr_t": "usize",
  "float": "f32",
  "double": "f64",
};

function splitParameters(text: string): string[] {
  const trimmed = text.trim();
  return trimmed === "" || trimmed === "void" ? [] : trimmed.split(",");
}

/** A C type without its qualifiers, as "pointer" or one of SCALARS' keys. */
function plainType(text: string): string {
  if (/[*[]/.test(text)) return "pointer";
  return text.replace(/\b(const|extern|volatile)\b/g, " ").trim().replace(/\s+/g, " ");
}

/** The type of a parameter declared with its name. */
function parameterType(text: string): string {
  const type = plainType(text);
  return type === "pointer" ? type : type.replace(/\s*\b\w+$/, "");
}

/** Every pf_* function that `header` declares. */
export function parseHeader(header: string): Declaration[] {
  const code = header
    .replace(/\/\*[\s\S]*?\*\//g, " ")
    .replace(/\/\/.*$/gm, "")
    .replace(/\\\n/g, " ")
    .replace(/^\s*#.*$/gm, "")
    .replace(/\b_Static_assert\s*\([^;]*;/g, "")
    .replace(/__attribute__\s*\(\(.*?\)\)/g, " ")
    .replace(/\bPF_\w+_(API|EXPORT)\b/g, " ")
    .replace(/\{[^{}]*\}/g, " ");
  const declarations: Declaration[] = [];
  for (const statement of code.split(";")) {
    const match = /^([\w\s*]*?)\b(pf_\w+)\s*\(([^()]*)\)\s*$/.exec(statement.trim());
    if (match === null) {
      // Left over: type definitions. A function in a form unknown here must not pass unseen.
      if (statement.includes("(")) throw new Error(`Cannot read declaration: ${statement.trim()}`);
      continue;
    }
    declarations.push({
      name: match[2] ?? "",
      parameters: splitParameters(match[3] ?? "").map(parameterType),
      result: plainType(match[1] ?? ""),
    });
  }
  return declarations;
}

/** The number behind `#define PF_<SHIM>_ABI`, or undefined. */
export function parseAbi(header: string, shim: string): number | undefined {
  const match = new RegExp(`^#define PF_${shim.toUpperCase()}_ABI (\\d+)u?\\s*$`, "m").exec(header);
  return match === null ? undefined : Number(match[1]);
}

function isBoundAs(cType: string, ffiType: unknown): boolean {
  if (cType === "pointer") return ffiType === "buffer" || ffiType === "pointer";
  return SCALARS[cType] !== undefined && SCALARS[cType] === ffiType;
}

/** What differs, one line each; empty when header and table agree. */
export function compareTable(header: string, table: SymbolTable): string[] {
  const faults: string[] = [];
  const declarations = new Map(parseHeader(header).map((one) => [one.name, one]));
  const bound = new Set<string>();
  for (const [key, symbol] of Object.entries(table)) {
    const name = symbol.name ?? key;
    bound.add(name);
    const declared = declarations.get(name);
    if (declared === undefined) {
      faults.push(`${name} is not in the header`);
      continue;
    }
    if (declared.parameters.length !== symbol.parameters.length) {
      faults.push(
        `${key} has ${symbol.parameters.length} parameters, in C ${declared.parameters.length}`,
      );
      continue;
    }
    declared.parameters.forEach((cType, index) => {
      const ffiType = symbol.parameters[index];
      if (!isBoundAs(cType, ffiType)) {
        faults.push(`${key} parameter ${index} is ${String(ffiType)}, in C ${cType}`);
      }
    });
    if (!isBoundAs(declared.result, symbol.result)) {
      faults.push(`${key} returns ${String(symbol.result)}, in C ${declared.result}`);
    }
  }
  for (const name of declarations.keys()) {
    if (!bound.has(name)) faults.push(`${name} is not bound`);
  }
  return faults;
}
