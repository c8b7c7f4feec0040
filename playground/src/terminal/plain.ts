// Output as plain text, stdout and stderr apart, and a line to answer with.
// What arrives is shown once a frame and the oldest of it is forgotten, so
// that a flood cannot freeze the page.

import { button, h } from '../ui/dom';

export interface PlainEvents {
    line(text: string): void;
    end(): void;
}

const KEPT = 200000;        // characters of each stream

class Stream {
    readonly pre: HTMLPreElement;
    readonly box: HTMLElement;
    private text = '';
    private forgotten = false;
    private waiting = 0;

    constructor(name: string, label: string) {
        this.pre = h('pre', { class: 'plain-text', tabindex: '0',
            role: 'log', 'aria-label': label });
        this.box = h('section', { class: `plain-stream ${name}` },
            h('h3', {}, label), this.pre);
    }

    clear(): void {
        this.text = '';
        this.forgotten = false;
        this.paint();
    }

    add(data: string): void {
        this.text += data;
        if (this.text.length > 2 * KEPT) {
            this.text = this.text.slice(-KEPT);
            this.forgotten = true;
        }
        this.waiting ||= requestAnimationFrame(() => this.paint());
    }

    private paint(): void {
        cancelAnimationFrame(this.waiting);
        this.waiting = 0;
        const end = this.pre.scrollHeight - this.pre.clientHeight;
        const follows = this.pre.scrollTop > end - 40;
        const shown = this.text.length > KEPT
            ? this.text.slice(-KEPT) : this.text;
        this.pre.textContent = (this.forgotten || shown !== this.text
            ? '… (earlier output is not shown)\n' : '') + shown;
        this.box.hidden = false;
        if (follows) {
            this.pre.scrollTop = this.pre.scrollHeight;
        }
    }
}

/** "\r\n" of a terminal is a newline; escape sequences mean nothing here. */
export function unterminal(data: string): string {
    return data.replace(/\r\n/g, '\n')
        .replace(/\x1b(?:\[[0-9;?]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|.)/g,
            '');
}

export class Plain {
    readonly element: HTMLElement;
    private readonly out = new Stream('stdout', 'Output');
    private readonly err = new Stream('stderr', 'Errors (stderr)');
    private readonly field: HTMLInputElement;
    private readonly form: HTMLFormElement;

    constructor(private readonly events: PlainEvents) {
        this.field = h('input', { type: 'text', class: 'plain-field',
            'aria-label': 'Input for the program', autocomplete: 'off',
            autocapitalize: 'off', spellcheck: 'false',
            placeholder: 'Type here, Enter sends' });
        this.form = h('form', { class: 'plain-input' }, this.field,
            button('End of input', () => this.events.end(), 'quiet'));
        this.form.addEventListener('submit', (event) => {
            event.preventDefault();
            this.answer();
        });
        this.element = h('div', { class: 'plain' }, this.out.box,
            this.err.box, this.form);
        this.begin();
        this.listening(false);
    }

    begin(): void {
        this.out.clear();
        this.err.clear();
        this.err.box.hidden = true;
    }

    write(stream: 'stdout' | 'stderr', data: string): void {
        (stream === 'stderr' ? this.err : this.out).add(unterminal(data));
    }

    /** Whether the program may be waiting for a line. */
    listening(now: boolean): void {
        const waited = this.element.contains(document.activeElement);
        this.form.hidden = !now;
        if (waited) {
            this.focus();
        }
    }

    focus(): void {
        (this.form.hidden ? this.out.pre : this.field).focus();
    }

    private answer(): void {
        const line = this.field.value + '\n';
        this.field.value = '';
        this.out.add(line);
        this.events.line(line);
    }
}
