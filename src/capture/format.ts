/** The first and the last line of a capture file: how they are written, and what is wrong with one read. */

/** First line. Fields beyond these may be there; they are ignored. */
export interface CaptureHeader {
  readonly kerngate_capture: 1;
  readonly host: string;
  readonly boot_id: string;
  /** RFC 3339. */
  readonly started: string;
  /** Release of the running kernel. */
  readonly kernel: string;
  /** Enforcement level of the agent that was recorded; decisions of a replay are shown on it. */
  readonly level?: string;
}

/** Last line. */
export interface CaptureEnd {
  readonly kerngate_end: true;
  /** Events in the file. */
  readonly events: number;
  /** Events that happened meanwhile and are not in it. */
  readonly lost: number;
}

type Loose = Readonly<Record<string, unknown>>;

const TEXTS = ['host', 'boot_id', 'started', 'kernel'] as const;

/** What is wrong with a first line; undefined when nothing is. */
export const headerFault = (value: Loose): string | undefined => {
  if (value.kerngate_capture === undefined) {
    return 'this is no capture: the first line must be {"kerngate_capture": 1, …}';
  }
  if (value.kerngate_capture !== 1) {
    return `this capture has version ${JSON.stringify(value.kerngate_capture)}; this kerngate reads version 1`;
  }
  const bad = TEXTS.find((name) => typeof value[name] !== 'string');
  return bad && `${bad} of the first line must be text`;
};

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;

/** What is wrong with a last line; undefined when nothing is. */
export const endFault = (value: Loose): string | undefined => {
  if (value.kerngate_end !== true) return 'kerngate_end must be true';
  const bad = (['events', 'lost'] as const).find((name) => !isCount(value[name]));
  return bad && `${bad} of the last line must be a count`;
};

export const headerLine = (header: CaptureHeader): string => `${JSON.stringify(header)}\n`;

export const endLine = (events: number, lost: number): string =>
  `${JSON.stringify({ kerngate_end: true, events, lost } satisfies CaptureEnd)}\n`;
