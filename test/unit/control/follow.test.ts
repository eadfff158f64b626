/** Following events: delivery, filters, slow readers, the end of either side. */
import { type IncomingMessage, request } from 'node:http';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { followAgent } from '../../../src/control/client.js';
import { EXIT } from '../../../src/model/error.js';
import type { Event } from '../../../src/model/event.js';
import { makeEvent, READER, type Running, startServer } from './fake-api.js';

const FOLLOW = '/v1/events/follow';

const collect = (running: Running, path = FOLLOW) => {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const events: Event[] = [];
  const ended = followAgent<Event>(running.socketPath, path, (event) => events.push(event), stop.signal);
  ended.catch(() => {}); // Each test looks at it when it wants to.
  return { stop, events, ended };
};

const waitForFollowers = (running: Running, count: number) =>
  vi.waitFor(() => expect(running.api.followers.size).toBe(count));

describe('following', () => {
  it('delivers each event in order, with its text exact', async () => {
    const running = await startServer();
    running.peer = READER;
    const { events, stop, ended } = collect(running, `${FOLLOW}?kind=connect&pid=7`);
    await waitForFollowers(running, 1);
    expect([...running.api.followers][0]?.filter).toEqual({ kind: 'connect', pid: 7 });
    const sent = Array.from({ length: 500 }, (_, i) => makeEvent(i, `\u001b[31m é\u2028\n${i}`));
    for (const event of sent) running.api.emit(event);
    await vi.waitFor(() => expect(events).toHaveLength(500));
    expect(events).toEqual(sent);
    stop.abort();
    await ended;
    await waitForFollowers(running, 0);
  });

  it('ends with exit 4 when the agent stops', async () => {
    const running = await startServer();
    const { ended } = collect(running);
    await waitForFollowers(running, 1);
    await running.server.close();
    await expect(ended).rejects.toMatchObject({ exitCode: EXIT.unreachable });
    expect(running.api.followers.size).toBe(0);
  });

  it('refuses one follower too many, and takes the next when one has left', async () => {
    const running = await startServer({ limits: { maxFollowers: 1 } });
    const first = collect(running);
    await waitForFollowers(running, 1);
    await expect(collect(running).ended).rejects.toThrow('1 clients follow events already');
    first.stop.abort();
    await waitForFollowers(running, 0);
    collect(running);
    await waitForFollowers(running, 1);
  });

  it('drops a follower that does not read, tells it, and keeps serving the others', async () => {
    const running = await startServer({ limits: { maxWaitingBytes: 10_000, graceMs: 60_000 } });
    const stuck = await new Promise<IncomingMessage>((done) => {
      request({ socketPath: running.socketPath, path: FOLLOW, agent: false }, done).end();
    });
    const good = collect(running);
    await waitForFollowers(running, 2);
    let sent = 0;
    while (running.api.followers.size > 1) {
      for (let i = 0; i < 20; i++) running.api.emit(makeEvent(sent++));
      await vi.waitFor(() => expect(good.events).toHaveLength(sent), { interval: 1 });
    }
    expect(running.server.counters()).toMatchObject({ control_followers: 1, control_followers_dropped: 1 });
    let text = '';
    for await (const chunk of stuck) text += chunk;
    const lines = text.trim().split('\n');
    expect(lines.length).toBeLessThan(sent + 1);
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({
      exit: 1,
      error: expect.stringContaining('too slow'),
    });
  });
});
