/**
 * Profiles for firewalld and ufw, from the ports the host listens on when nothing else is said.
 *
 * @module
 */
import { type WantedPort, wantedPorts } from "../src/health/ports.ts";
import { SETTINGS } from "../src/platform/config.ts";

export interface FirewallProfile {
  /** As firewalld and ufw know it. */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly ports: readonly Pick<WantedPort, "transport" | "port">[];
}

/** Without announcement, which firewalld has a service for and ufw lets through by itself. */
export function firewallProfiles(): readonly FirewallProfile[] {
  const ports = wantedPorts({
    nativePort: SETTINGS.native_port.fallback,
    managementPort: SETTINGS.mgmt_bind.fallback.port,
    gamestreamPortBase: SETTINGS.gamestream_port.fallback,
    // Distinguishes the ports that GameStream adds.
    isGamestreamOn: false,
  });
  return [
    {
      name: "punktfunk-native",
      title: "Punktfunk host",
      description: "Native clients of punktfunk-host, and its management API",
      ports: ports.filter(({ isNeeded }) => isNeeded),
    },
    {
      name: "punktfunk-gamestream",
      title: "Punktfunk host for Moonlight",
      description: "Moonlight clients of punktfunk-host, with serve --gamestream",
      ports: ports.filter(({ isNeeded }) => !isNeeded),
    },
  ];
}

/** A service of firewalld. */
export function firewalldService({ title, description, ports }: FirewallProfile): string {
  return [
    '<?xml version="1.0" encoding="utf-8"?>',
    "<service>",
    `  <short>${title}</short>`,
    `  <description>${description}</description>`,
    ...ports.map(({ transport, port }) => `  <port protocol="${transport}" port="${port}"/>`),
    '  <include service="mdns"/>',
    "</service>",
    "",
  ].join("\n");
}

/** The application profiles of ufw, one file for all. */
export function ufwProfiles(profiles: readonly FirewallProfile[]): string {
  return profiles.map(({ name, title, description, ports }) => {
    const byTransport = Map.groupBy(ports, ({ transport }) => transport);
    const value = [...byTransport].map(([transport, group]) =>
      `${group.map(({ port }) => port).join(",")}/${transport}`
    ).join("|");
    return `[${name}]\ntitle=${title}\ndescription=${description}\nports=${value}\n`;
  }).join("\n");
}
