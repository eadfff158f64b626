/** What the demonstration prints: numbered scenes, commands, results. Colour only where it is wanted. */
import { styleText } from 'node:util';
import { sanitize } from '../lib/sanitize.js';

type Style = Parameters<typeof styleText>[0];

const WIDTH = 110;

export interface Sink {
  write(text: string): unknown;
}

export class Screen {
  readonly #sink: Sink;
  readonly #color: boolean;
  #scenes = 0;

  constructor(sink: Sink, color: boolean) {
    this.#sink = sink;
    this.#color = color;
  }

  scene(title: string): void {
    this.#line(`\n${this.#paint('bold', `${++this.#scenes}. ${title}`)}`);
  }

  command(args: readonly string[]): void {
    this.#line(this.#paint('dim', `   $ kerngate ${args.join(' ')}`));
  }

  /** One attempt: its number and what came of it. */
  result(text: string, index: number): void {
    this.#line(`   ${index}  ${this.#paint(text === 'connected' ? 'green' : 'red', sanitize(text))}`);
  }

  say(sentence: string): void {
    this.#line(`   ${this.#paint('bold', sentence)}`);
  }

  /** Lines of a program; what is too long for most terminals is cut. */
  text(lines: readonly string[]): void {
    for (const line of lines.map(sanitize)) {
      this.#line(`   ${line.length > WIDTH ? `${line.slice(0, WIDTH - 1)}…` : line}`);
    }
  }

  /** Names and texts, aligned. */
  rows(rows: readonly (readonly [name: string, text: string])[]): void {
    this.#line('');
    for (const [name, text] of rows) this.#line(`   ${this.#paint('dim', name.padEnd(9))} ${text}`);
  }

  plain(line: string): void {
    this.#line(line);
  }

  #paint(style: Style, text: string): string {
    return this.#color ? styleText(style, text, { validateStream: false }) : text;
  }

  #line(text: string): void {
    this.#sink.write(`${text}\n`);
  }
}
