/** Every command, in the order help shows them. A new one is added here and in a file of its own. */
import { allowCommand } from './allow.js';
import { blockCommand } from './block.js';
import { blocksCommand } from './blocks.js';
import type { Command } from './command.js';
import { doctorCommand } from './doctor.js';
import { eventsCommand } from './events.js';
import { findingsCommand } from './findings.js';
import { confirmCommand, modeCommand } from './mode.js';
import { panicCommand } from './panic.js';
import { policyCommand } from './policy.js';
import { recordCommand } from './record.js';
import { replayCommand } from './replay.js';
import { runCommand } from './run.js';
import { selftestCommand } from './selftest.js';
import { sessionsCommand } from './sessions.js';
import { statusCommand } from './status.js';
import { unblockCommand } from './unblock.js';
import { versionCommand } from './version.js';

export const COMMANDS: readonly Command[] = [
  runCommand,
  statusCommand,
  doctorCommand,
  selftestCommand,
  eventsCommand,
  findingsCommand,
  sessionsCommand,
  blocksCommand,
  blockCommand,
  unblockCommand,
  allowCommand,
  modeCommand,
  confirmCommand,
  policyCommand,
  recordCommand,
  replayCommand,
  panicCommand,
  versionCommand,
];
