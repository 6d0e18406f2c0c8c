import assert from "node:assert/strict";
import { OperationError } from "../../../src/lib/errors.ts";
import {
  openHostId,
  openManagementToken,
  writeManagementEndpoint,
} from "../../../src/trust/host_files.ts";

const NOW = { nowMs: () => 0 };

async function withDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir();
  try {
    await body(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test("openHostId() makes an upper-case UUID once", async () => {
  await withDirectory(async (directory) => {
    const id = await openHostId(directory);
    assert.match(id, /^[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}$/);
    assert.equal(await openHostId(directory), id);
    await Deno.writeTextFile(`${directory}/uniqueid`, ` ${id.toLowerCase()}\r\n`);
    assert.equal(await openHostId(directory), id);
  });
});

Deno.test("openHostId() refuses a file that holds no id and leaves it alone", async () => {
  for (const text of ["", "0123456789ABCDEF", "\0\0\0\0"]) {
    await withDirectory(async (directory) => {
      await Deno.writeTextFile(`${directory}/uniqueid`, text);
      await assert.rejects(
        openHostId(directory),
        (error) => error instanceof OperationError && error.message.includes("/uniqueid"),
      );
      assert.equal(await Deno.readTextFile(`${directory}/uniqueid`), text);
    });
  }
});

Deno.test("openManagementToken() makes 64 hexadecimal digits in a file of mode 0600, once", async () => {
  await withDirectory(async (directory) => {
    const { token, notice } = await openManagementToken(directory, NOW);
    assert.match(token, /^[0-9a-f]{64}$/);
    assert.equal(notice, undefined);
    const path = `${directory}/mgmt-token`;
    assert.equal(await Deno.readTextFile(path), `PUNKTFUNK_MGMT_TOKEN=${token}\n`);
    assert.equal((Deno.statSync(path).mode ?? 0) & 0o777, 0o600);
    assert.deepEqual(await openManagementToken(directory, NOW), { token, notice: undefined });
  });
});

Deno.test("openManagementToken() accepts a bare token", async () => {
  await withDirectory(async (directory) => {
    for (const text of ["secret-1", "# mine\n\n secret-1 \r\n", "PUNKTFUNK_MGMT_TOKEN=secret-1"]) {
      await Deno.writeTextFile(`${directory}/mgmt-token`, text);
      assert.equal((await openManagementToken(directory, NOW)).token, "secret-1");
    }
  });
});

Deno.test("openManagementToken() sets a file without a token aside and says so", async () => {
  for (const text of ["", "PUNKTFUNK_MGMT_TOKEN=", "two words", "a".repeat(257)]) {
    await withDirectory(async (directory) => {
      await Deno.writeTextFile(`${directory}/mgmt-token`, text);
      const { token, notice } = await openManagementToken(directory, NOW);
      assert.match(token, /^[0-9a-f]{64}$/);
      const kept = `${directory}/mgmt-token.damaged-19700101T000000Z`;
      assert.ok(notice !== undefined && notice.includes(kept));
      assert.ok(!notice.includes(token));
      assert.equal(await Deno.readTextFile(kept), text);
    });
  }
});

Deno.test("writeManagementEndpoint() replaces the line at every start", async () => {
  await withDirectory(async (directory) => {
    await writeManagementEndpoint(directory, 1);
    await writeManagementEndpoint(directory, 47990);
    assert.equal(
      await Deno.readTextFile(`${directory}/mgmt-endpoint`),
      "PUNKTFUNK_MGMT_URL=https://127.0.0.1:47990\n",
    );
  });
});
