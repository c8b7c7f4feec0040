// The pane a program speaks in: a terminal, or plain text with stdout and
// stderr apart.  The view that is open when a run begins is the one it uses.

import type { Execute, Output, TerminalSize } from '../protocol/messages';
import { Plain } from '../terminal/plain';
import { Terminal } from '../terminal/terminal';
import { choice, choose } from '../work/store';
import { find } from './dom';
import { Tabs } from './tabs';

export interface OutputEvents {
    input(data: string): void;
    end(): void;
    interrupt(): void;
    resized(size: TerminalSize): void;
}

type View = 'terminal' | 'plain';

const VIEWS = [{ id: 'terminal', label: 'Terminal' },
    { id: 'plain', label: 'Plain output' }];

export class OutputPane {
    readonly terminal: Terminal;
    private readonly plain: Plain;
    private readonly tabs: Tabs;
    private view: View = choice('view') === 'plain' ? 'plain' : 'terminal';
    private target: View = this.view;
    private active = false;
    private listening = false;
    private piped = false;

    constructor(private readonly events: OutputEvents) {
        this.tabs = new Tabs(find('views'), 'output',
            (id) => this.show(id as View));
        this.plain = new Plain({ line: (text) => events.input(text),
            end: () => events.end() });
        find('plain').append(this.plain.element);
        this.show(this.view);
        this.terminal = new Terminal(find('terminal'), {
            input: (data) => this.typed(data),
            resized: (size) => this.resized(size),
            listens: () => this.listening,
        });
    }

    /** How a program is to be started for the view that is open. */
    terminalOf(hasStdin: boolean): Execute['tty'] {
        return this.view === 'plain' || hasStdin ? false
            : this.terminal.size;
    }

    begin(piped: boolean): void {
        this.target = this.view;
        this.piped = piped;
        this.terminal.begin(piped);
        this.plain.begin();
    }

    write(message: Output): void {
        if (this.target === 'plain') {
            this.plain.write(message.stream, message.data);
        } else if (message.stream === 'stderr') {
            this.terminal.write(`\x1b[31m${message.data}\x1b[39m`);
        } else {
            this.terminal.write(message.data);
        }
    }

    /** Words of a compiler or of this page, beside the program's own. */
    say(text: string): void {
        if (this.target === 'plain') {
            this.plain.write('stderr', text.replace(/\n?$/, '\n'));
        } else {
            this.terminal.write(text.replace(/\r?\n/g, '\r\n')
                .replace(/(\r\n)?$/, '\r\n'));
        }
    }

    listen(now: boolean, open: boolean): void {
        if (this.active && !now) {
            this.terminal.end();
        }
        this.active = now;
        this.listening = now && open;
        this.plain.listening(now && open && this.target === 'plain');
    }

    /** The program may have been told another size by another view. */
    announce(): void {
        this.resized(this.terminal.size);
    }

    focus(): void {
        (this.view === 'plain' ? this.plain : this.terminal).focus();
    }

    private show(view: View): void {
        this.view = view;
        choose('view', view);
        this.tabs.show(VIEWS, view);
        find('terminal').hidden = view !== 'terminal';
        find('plain').hidden = view !== 'plain';
        this.terminal?.fit();
    }

    private typed(data: string): void {
        if (!this.listening) {
            return;
        }
        if (this.piped) {
            this.typedIntoPipe(data);
        } else {
            this.events.input(data);
        }
    }

    /** A pipe has no line discipline: echo and two keys are done here. */
    private typedIntoPipe(data: string): void {
        if (data === '\x04') {
            this.events.end();
        } else if (data === '\x03') {
            this.events.interrupt();
        } else {
            const text = data.replace(/\r/g, '\n');
            this.terminal.write(text);
            this.events.input(text);
        }
    }

    private resized(size: TerminalSize): void {
        if (this.listening && !this.piped) {
            this.events.resized(size);
        }
    }
}
