/**
 * What a package consists of and where it lies. Deb and tarball differ only in their prefix and a few paths.
 *
 * @module
 */
import { completionsOf } from "../src/cli/commands/completions.ts";
import { PROGRAM_NAME } from "../src/cli/command.ts";
import type { CliEnvironment } from "../src/cli/environment.ts";
import { ROUTES } from "../src/cli/table.ts";
import { CONTROLLER_DEVICES, udevRule } from "../src/health/devices.ts";
import { SEND_BUFFER_BYTES } from "../src/health/network.ts";
import { firewalldService, firewallProfiles, ufwProfiles } from "./firewall.ts";
import { manPage } from "./man_page.ts";

const FILES = new URL("./files/", import.meta.url);

/** One file of a package. */
export interface PackagedFile {
  /** Absolute, on the machine it is installed on. */
  readonly path: string;
  readonly mode: 0o644 | 0o755;
  readonly content: string | Uint8Array<ArrayBuffer> | { readonly copyOf: string };
}

/** Where a machine looks for what comes with a program. */
export interface Place {
  readonly prefix: "/usr" | "/usr/local";
  readonly zshCompletions: string;
  /** Directory of firewalld's services. */
  readonly firewalld: string;
  /** ufw's file of profiles. */
  readonly ufw: string;
}

export const DEBIAN_PLACE: Place = {
  prefix: "/usr",
  zshCompletions: "/usr/share/zsh/vendor-completions",
  firewalld: "/usr/lib/firewalld/services",
  ufw: `/etc/ufw/applications.d/${PROGRAM_NAME}`,
};

/** Neither firewall looks into /usr/local. */
export const LOCAL_PLACE: Place = {
  prefix: "/usr/local",
  zshCompletions: "/usr/local/share/zsh/site-functions",
  firewalld: `/usr/local/share/doc/${PROGRAM_NAME}/firewall`,
  ufw: `/usr/local/share/doc/${PROGRAM_NAME}/firewall/ufw`,
};

/** All but the licences and papers, which each package has in its own form. */
export async function programFiles(
  place: Place,
  { executable, date }: { readonly executable: string; readonly date: Date },
): Promise<PackagedFile[]> {
  const { prefix } = place;
  const fill = (name: string) => fillTemplate(name, { bindir: `${prefix}/bin` });
  return [
    { path: `${prefix}/bin/${PROGRAM_NAME}`, mode: 0o755, content: { copyOf: executable } },
    ...texts({
      [`${prefix}/lib/systemd/user/${PROGRAM_NAME}.service`]: await fill("punktfunk-host.service"),
      [`${prefix}/lib/systemd/user/${PROGRAM_NAME}.path`]: await fill("punktfunk-host.path"),
      [`${prefix}/share/applications/${PROGRAM_NAME}.desktop`]: await fill(
        "punktfunk-host.desktop",
      ),
    }),
    ...machineSettings(prefix),
    ...firewallFiles(place),
    ...await completionFiles(place),
    {
      path: `${prefix}/share/man/man1/${PROGRAM_NAME}.1.gz`,
      mode: 0o644,
      content: await gzip(manPage({ date })),
    },
  ];
}

/** Permissions of the controllers' devices, their modules, and room for a frame in a socket. */
function machineSettings(prefix: string): PackagedFile[] {
  return texts({
    [`${prefix}/lib/udev/rules.d/60-punktfunk.rules`]: lines(CONTROLLER_DEVICES.map(udevRule)),
    [`${prefix}/lib/modules-load.d/punktfunk.conf`]: lines(CONTROLLER_DEVICES),
    // An early number: what an administrator chose, larger or smaller, comes after it and stays.
    [`${prefix}/lib/sysctl.d/10-punktfunk.conf`]: lines([
      `net.core.wmem_max = ${SEND_BUFFER_BYTES}`,
    ]),
  });
}

function firewallFiles(place: Place): PackagedFile[] {
  const profiles = firewallProfiles();
  return texts({
    ...Object.fromEntries(
      profiles.map((one) => [`${place.firewalld}/${one.name}.xml`, firewalldService(one)]),
    ),
    [place.ufw]: ufwProfiles(profiles),
  });
}

async function completionFiles({ prefix, zshCompletions }: Place): Promise<PackagedFile[]> {
  return texts({
    [`${prefix}/share/bash-completion/completions/${PROGRAM_NAME}`]: await completionScript("bash"),
    [`${zshCompletions}/_${PROGRAM_NAME}`]: await completionScript("zsh"),
    [`${prefix}/share/fish/vendor_completions.d/${PROGRAM_NAME}.fish`]: await completionScript(
      "fish",
    ),
  });
}

async function completionScript(shell: string): Promise<string> {
  // The command needs nothing of its environment.
  const { text } = await completionsOf(ROUTES)({} as CliEnvironment, {}, shell);
  return text;
}

/** A file of packaging/files/ with every `@word@` replaced. Throws when a word has no value. */
export async function fillTemplate(
  name: string,
  values: Readonly<Record<string, string>>,
): Promise<string> {
  const text = await Deno.readTextFile(new URL(name, FILES));
  return text.replace(/@([a-z]+)@/g, (whole, word: string) => {
    const value = values[word];
    if (value === undefined) throw new Error(`Cannot fill ${name}: ${whole} has no value`);
    return value;
  });
}

/** Files of text that everybody may read, by path. */
export function texts(contents: Readonly<Record<string, string>>): PackagedFile[] {
  return Object.entries(contents).map(([path, content]) => ({ path, mode: 0o644, content }));
}

function lines(all: readonly string[]): string {
  return all.map((line) => `${line}\n`).join("");
}

/** Without name and time of day inside, so that equal text gives equal bytes. */
export async function gzip(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
