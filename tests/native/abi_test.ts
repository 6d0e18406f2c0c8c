import assert from "node:assert/strict";
import { SHIMS } from "../../scripts/shims.ts";
import { compareTable, parseAbi, parseHeader, type SymbolTable } from "./header_check.ts";

const ROOT = new URL("../../", import.meta.url);

interface Binding {
  readonly ABI?: number;
  readonly SYMBOLS?: SymbolTable;
}

/** A large table has a file of its own. */
async function bindingOf(shim: string): Promise<Binding> {
  const own = new URL(`ffi/${shim}_symbols.ts`, ROOT);
  const hasOwn = await Deno.stat(own).then(() => true, () => false);
  return await import(hasOwn ? own.href : new URL(`ffi/${shim}.ts`, ROOT).href);
}

for (const { name } of SHIMS) {
  Deno.test(`ffi/${name}.ts binds the functions of native/${name}/${name}.h as they are`, async () => {
    const header = await Deno.readTextFile(new URL(`native/${name}/${name}.h`, ROOT));
    const { ABI, SYMBOLS } = await bindingOf(name);
    assert.ok(SYMBOLS !== undefined, `ffi/${name}.ts does not export SYMBOLS`);
    assert.equal(ABI, parseAbi(header, name), "ABI");
    assert.deepEqual(compareTable(header, SYMBOLS), []);
  });
}

const HEADER = `
#define PF_X_ABI 7u
#define PF_X_API __attribute__((visibility("default")))
struct pf_x { uint32_t size; };
_Static_assert(sizeof(struct pf_x) == 4, "pf_x size");
enum pf_x_status { PF_X_OK = 0 }; /* pf_x_none(void); */
PF_X_API uint32_t pf_x_abi(void);
PF_X_API int64_t pf_x_put(struct pf_x *x, const uint8_t *bytes,
                          size_t bytes_len, unsigned int mode);
struct pf_x *pf_x_open(const char path[]);
`;

const TABLE = {
  pf_x_abi: { parameters: [], result: "u32" },
  pf_x_put: { parameters: ["pointer", "buffer", "usize", "u32"], result: "i64" },
  pf_x_open: { parameters: ["buffer"], result: "pointer" },
} as const;

Deno.test("parseHeader() finds functions among structs, enums and comments", () => {
  assert.deepEqual(parseHeader(HEADER), [
    { name: "pf_x_abi", parameters: [], result: "uint32_t" },
    {
      name: "pf_x_put",
      parameters: ["pointer", "pointer", "size_t", "unsigned int"],
      result: "int64_t",
    },
    { name: "pf_x_open", parameters: ["pointer"], result: "pointer" },
  ]);
  assert.equal(parseAbi(HEADER, "x"), 7);
  assert.equal(parseAbi(HEADER, "y"), undefined);
});

Deno.test("parseHeader() refuses a declaration it cannot read", () => {
  assert.throws(
    () => parseHeader("void pf_x_each(void (*visit)(int));"),
    /Cannot read declaration/,
  );
});

Deno.test("compareTable() accepts a right table and catches every kind of wrong one", () => {
  assert.deepEqual(compareTable(HEADER, TABLE), []);
  const alias = { ...TABLE, again: { ...TABLE.pf_x_abi, name: "pf_x_abi" } };
  assert.deepEqual(compareTable(HEADER, alias), []);

  const { pf_x_abi, pf_x_open, pf_x_put } = TABLE;
  const wrong: readonly (readonly [SymbolTable, string])[] = [
    [{ ...TABLE, pf_x_put: { ...pf_x_put, result: "i32" } }, "pf_x_put returns i32, in C int64_t"],
    [
      { ...TABLE, pf_x_put: { ...pf_x_put, parameters: ["pointer", "buffer", "u32", "u32"] } },
      "pf_x_put parameter 2 is u32, in C size_t",
    ],
    [
      { ...TABLE, pf_x_put: { ...pf_x_put, parameters: ["u64", "buffer", "usize", "u32"] } },
      "pf_x_put parameter 0 is u64, in C pointer",
    ],
    [
      { ...TABLE, pf_x_open: { ...pf_x_open, parameters: [] } },
      "pf_x_open has 0 parameters, in C 1",
    ],
    [{ pf_x_abi, pf_x_put }, "pf_x_open is not bound"],
    [{ ...TABLE, pf_x_shut: pf_x_abi }, "pf_x_shut is not in the header"],
    [
      { ...TABLE, again: { ...pf_x_put, name: "pf_x_abi" } },
      "again has 4 parameters, in C 0",
    ],
  ];
  for (const [table, fault] of wrong) assert.deepEqual(compareTable(HEADER, table), [fault]);
});
