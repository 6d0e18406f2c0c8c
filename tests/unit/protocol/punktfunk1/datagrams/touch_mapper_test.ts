import assert from "node:assert/strict";
import type { TouchEvent } from "../../../../../src/protocol/input_event.ts";
import {
  TOUCHES_MAX,
  TouchMapper,
} from "../../../../../src/protocol/punktfunk1/datagrams/touch_mapper.ts";

function openMapper() {
  const events: TouchEvent[] = [];
  const mapper = new TouchMapper((event) => events.push(event));
  const touch = (phase: "down" | "move" | "up", pointerId: number, x = 0, y = 0) =>
    mapper.apply({ kind: "touch", phase, pointerId, x, y });
  const told = () => events.splice(0).map(({ phase, pointerId, x, y }) => [phase, pointerId, x, y]);
  return { mapper, touch, told };
}

Deno.test("TouchMapper lifts a finger where it was last", () => {
  const { touch, told } = openMapper();
  touch("down", 7, 0.1, 0.2);
  touch("move", 7, 0.3, 0.4);
  touch("up", 7);
  touch("up", 7);
  assert.deepEqual(told(), [["down", 7, 0.1, 0.2], ["move", 7, 0.3, 0.4], ["up", 7, 0.3, 0.4]]);
});

Deno.test("TouchMapper heals a lost down and a lost up", () => {
  const { touch, told } = openMapper();
  touch("move", 1, 0.5, 0.5);
  touch("down", 1, 0.6, 0.6);
  assert.deepEqual(told(), [["down", 1, 0.5, 0.5], ["up", 1, 0.5, 0.5], ["down", 1, 0.6, 0.6]]);
});

Deno.test("TouchMapper knows so many fingers and drops the next", () => {
  const { touch, told } = openMapper();
  for (let finger = 0; finger < TOUCHES_MAX; finger++) touch("down", finger);
  assert.equal(told().length, TOUCHES_MAX);
  touch("down", TOUCHES_MAX);
  touch("move", TOUCHES_MAX);
  assert.deepEqual(told(), []);
  touch("move", 1, 0.5);
  touch("down", 0);
  assert.deepEqual(told(), [["move", 1, 0.5, 0], ["up", 0, 0, 0], ["down", 0, 0, 0]]);
});

Deno.test("TouchMapper.releaseAll() cancels what touches, once", () => {
  const { mapper, touch, told } = openMapper();
  mapper.releaseAll();
  touch("down", 3);
  told();
  mapper.releaseAll();
  mapper.releaseAll();
  assert.deepEqual(told(), [["cancel-all", 0, 0, 0]]);
  touch("move", 3);
  assert.deepEqual(told(), [["down", 3, 0, 0]]);
});
