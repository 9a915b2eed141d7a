// Three people with random wishes over a network that loses, doubles, delays and reorders what they say, and cuts media and
// server off. Once it heals and the timers have run, nobody disagrees and nothing is left over.
//
// SEED=n runs that one; SEEDS=n runs more of them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALL_ON } from '../../../server/web/state.js';
import { GOOD, World } from './sim.js';
import { seeded } from './support.js';

const NAMES = ['ana', 'rui', 'eva'];
const SEEDS = Number(process.env.SEEDS ?? 1_000);

const WISHES = [
  [6, 'call'], [6, 'accept'], [1, 'decline'], [2, 'hang-up'], [1, 'camera'], [1, 'facing'], [1, 'lose-server'], [2, 'find-server'],
  [1, 'be-somebody-else'], [1, 'media'], [1, 'user-list'],
].flatMap(([weight, wish]) => Array(weight).fill(wish));
// The third person wishes less often.
const WHO = [0, 0, 0, 0, 1, 1, 1, 1, 2];

function fulfil(world, who, wish, draw) {
  const pick = (items) => items[draw(items.length)];
  switch (wish) {
    case 'call': return world.command(who, { kind: 'call', to: world.phones[draw(3)].name, media: ALL_ON });
    case 'accept': return world.command(who, { kind: 'accept', media: ALL_ON });
    case 'decline': return world.command(who, { kind: 'decline' });
    case 'hang-up': return world.command(who, { kind: 'hang-up' });
    case 'camera': return world.command(who, { kind: 'set-camera', on: pick([true, false]) });
    case 'facing': return world.command(who, { kind: 'set-facing', facing: pick(['user', 'environment']) });
    case 'lose-server': return world.goOffline(who);
    case 'find-server': return world.comeBack(who);
    case 'be-somebody-else': return world.comeBack(who, `${NAMES[who]}${draw(1_000)}`);
    case 'media': world.net.media = pick([true, false]); return null;
    case 'user-list': return world.tellUsers();
  }
  throw new Error(wish);
}

function check(world) {
  for (const phone of world.phones) {
    const { state, call } = phone.engine.snapshot();
    const inCall = state !== 'idle';
    assert.ok(['idle', 'connected'].includes(state), `${phone.name} is still ${state} after everything healed`);
    assert.equal(phone.begun, phone.ends.length + Number(inCall), `${phone.name}: one end for each call`);
    assert.equal(phone.openPeers.length, Number(inCall), `${phone.name}: peer connections`);
    assert.equal(phone.engine.timeoutAt(), null, `${phone.name}: timers`);
    assert.ok(phone.engine.memory <= 200, `${phone.name}: memory`);
    if (!inCall) continue;
    const others = world.phones.filter((one) => one !== phone && one.call === call);
    assert.equal(others.length, 1, `${phone.name} is in a call with one other`);
    assert.ok(phone.openPeers[0].meets(others[0].openPeers[0]), `${phone.name}: the right connection`);
  }
}

function live(seed) {
  const random = seeded(seed);
  const draw = (end) => Math.floor(random() * end);
  const world = new World(...NAMES);
  world.seed(seed + 1_000_000);
  const calm = draw(2) === 0;
  world.net = {
    lost: calm ? 0 : draw(30), twice: draw(30), failing: calm ? 0 : draw(8), delay: 1 + draw(2_000), wire: 0, inOrder: draw(2) === 0, media: true,
  };
  const wishes = [];
  for (let left = 1 + draw(39); left > 0; left -= 1) {
    world.run(draw(4_000));
    const [who, wish] = [WHO[draw(WHO.length)], WISHES[draw(WISHES.length)]];
    wishes.push(`${world.now} ${NAMES[who]} ${wish}`);
    fulfil(world, who, wish, draw);
  }
  world.net = { ...GOOD };
  NAMES.forEach((_, who) => world.comeBack(who));
  world.run(200_000);
  try {
    check(world);
  } catch (error) {
    error.message = `seed ${seed}: ${error.message}\n${wishes.join('\n')}`;
    throw error;
  }
}

test('nobody disagrees for ever', () => {
  if (process.env.SEED) return live(Number(process.env.SEED));
  for (let seed = 1; seed <= SEEDS; seed += 1) live(seed);
});

// On a network that keeps the order of messages, as TCP does.
test('whoever calls first and however long it takes, both end in one call', () => {
  for (let seed = 1; seed <= 300; seed += 1) {
    const random = seeded(seed);
    const world = new World('ana', 'rui');
    world.seed(seed);
    world.net.delay = 1 + Math.floor(random() * 600);
    const first = Math.floor(random() * 2);
    const second = 1 - first;
    world.call(first, second);
    world.run(Math.floor(random() * 1_500));
    if (world.phones[second].state === 'ringing-here') world.accept(second);
    else world.call(second, first);
    world.run(10_000);
    world.assertConnected(0, 1);
    world.assertEnds([], []);
  }
});
