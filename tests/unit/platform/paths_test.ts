import assert from "node:assert/strict";
import { OperationError } from "../../../src/lib/errors.ts";
import { resolveDirectories } from "../../../src/platform/paths.ts";

Deno.test("resolveDirectories() follows the XDG variables", () => {
  const directories = resolveDirectories({
    HOME: "/home/a",
    XDG_CONFIG_HOME: "/c/",
    XDG_DATA_HOME: "/d",
    XDG_STATE_HOME: "/s",
    XDG_CACHE_HOME: "/k",
    XDG_RUNTIME_DIR: "/run/user/1000",
  }, "linux");
  assert.deepEqual(directories, {
    config: "/c/punktfunk",
    data: "/d/punktfunk",
    state: "/s/punktfunk",
    cache: "/k/punktfunk",
    runtime: "/run/user/1000",
  });
});

Deno.test("resolveDirectories() treats empty and relative XDG values as unset", () => {
  const directories = resolveDirectories({
    HOME: "/home/a",
    XDG_CONFIG_HOME: "",
    XDG_STATE_HOME: "relative",
    XDG_RUNTIME_DIR: "run",
  }, "linux");
  assert.deepEqual(directories, {
    config: "/home/a/.config/punktfunk",
    data: "/home/a/.local/share/punktfunk",
    state: "/home/a/.local/state/punktfunk",
    cache: "/home/a/.cache/punktfunk",
    runtime: "/tmp",
  });
});

Deno.test("resolveDirectories() lets PUNKTFUNK_CONFIG_DIR replace the config directory", () => {
  for (const os of ["linux", "windows"]) {
    const environment = { HOME: "/home/a", PUNKTFUNK_CONFIG_DIR: "/somewhere" };
    assert.equal(resolveDirectories(environment, os).config, "/somewhere");
    const unset = { ...environment, PUNKTFUNK_CONFIG_DIR: "" };
    assert.notEqual(resolveDirectories(unset, os).config, "");
  }
});

Deno.test("resolveDirectories() names the variable that is missing", () => {
  assert.throws(
    () => resolveDirectories({ XDG_CONFIG_HOME: "/c", HOME: "" }, "linux"),
    (error) => error instanceof OperationError && error.message.includes("XDG_DATA_HOME"),
  );
});

Deno.test("resolveDirectories() keeps everything under ProgramData on Windows", () => {
  const directories = resolveDirectories({
    ProgramData: "D:\\Shared",
    LOCALAPPDATA: "C:\\Users\\a\\AppData\\Local",
  }, "windows");
  assert.equal(directories.config, "D:\\Shared\\punktfunk");
  assert.equal(directories.state, directories.config);
  assert.equal(directories.cache, "C:\\Users\\a\\AppData\\Local\\punktfunk\\cache");
});
