/** The table of routes: which method of the agent each one calls, who may call it, what it accepts. */
import type { z } from 'zod';
import type { ControlApi, Peer } from './api.js';
import * as schema from './schema.js';

export interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly access: 'read' | 'change';
  readonly run: (api: ControlApi, input: unknown, peer: Peer) => unknown;
  readonly accepts: z.ZodType;
}

/**
 * Ties a schema to the function that gets its output. Absent members are absent in the output too,
 * so the interface's exact optional members are met though the schema's type says `| undefined`.
 */
const route =
  (method: Route['method'], access: Route['access']) =>
  <T>(
    path: string,
    accepts: z.ZodType<T>,
    run: (api: ControlApi, input: Exact<T>, peer: Peer) => unknown,
  ): Route => ({
    method,
    path,
    access,
    accepts,
    run: (api, input, peer) => run(api, input as Exact<T>, peer),
  });

type Exact<T> = { [K in keyof T]: Exclude<T[K], undefined> };

const get = route('GET', 'read');
const ask = route('POST', 'read');
const change = route('POST', 'change');

/** Where events are followed; it answers with a stream and so is no plain route. */
export const FOLLOW_PATH = '/v1/events/follow';

export const ROUTES: readonly Route[] = [
  get('/v1/status', schema.NOTHING, (api) => api.status()),
  get('/v1/decisions', schema.NOTHING, (api) => api.decisions()),
  get('/v1/findings', schema.NOTHING, (api) => api.findings()),
  get('/v1/sessions', schema.NOTHING, (api) => api.sessions()),
  get('/v1/events', schema.EVENT_QUERY, (api, filter) => api.events(filter)),
  get('/v1/allow', schema.NOTHING, (api) => api.allowList()),
  get('/v1/mode', schema.NOTHING, (api) => ({ mode: api.mode() })),
  get('/v1/policies', schema.NOTHING, (api) => api.policies()),
  ask('/v1/allow/check', schema.ALLOW_TARGET, (api, target) => api.allowCheck(target) ?? null),
  change('/v1/block', schema.BLOCK, (api, request, peer) => api.block(request, peer)),
  change('/v1/unblock', schema.UNBLOCK, (api, filter, peer) => api.unblock(filter, peer)),
  change('/v1/allow/add', schema.ALLOW_ADD, (api, request, peer) => api.allowAdd(request, peer)),
  change('/v1/allow/remove', schema.ALLOW_TARGET, (api, target, peer) => api.allowRemove(target, peer)),
  change('/v1/mode', schema.SET_MODE, async (api, { mode, confirmWithinNs }, peer) => ({
    mode: await api.setMode(mode, confirmWithinNs, peer),
  })),
  change('/v1/confirm', schema.NOTHING, (api, _, peer) => api.confirm(peer)),
  change('/v1/panic', schema.NOTHING, (api, _, peer) => api.panic(peer)),
  change('/v1/policies/reload', schema.NOTHING, (api) => api.reload()),
];
