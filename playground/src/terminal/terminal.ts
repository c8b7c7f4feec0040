// The terminal: xterm.js with the page's colours, as wide as its pane.

import { FitAddon } from '@xterm/addon-fit';
import { Unicode11Addon } from '@xterm/addon-unicode11';
import { WebLinksAddon } from '@xterm/addon-web-links';
import { type ITheme, Terminal as Xterm } from '@xterm/xterm';

import type { TerminalSize } from '../protocol/messages';
import { strictDocument, strictRows } from './strict-document';

export interface TerminalEvents {
    input(data: string): void;
    resized(size: TerminalSize): void;
    /** Whether somebody reads what is typed: else keys are the page's. */
    listens(): boolean;
}

const LINES = 10000;

export class Terminal {
    private readonly xterm: Xterm;
    private readonly fitter = new FitAddon();

    constructor(private readonly host: HTMLElement,
        private readonly events: TerminalEvents) {
        const strict = strictDocument(document);
        this.xterm = new Xterm({
            documentOverride: strict,
            allowProposedApi: true,
            cursorBlink: false,
            cursorInactiveStyle: 'outline',
            fontFamily: style('--mono'),
            fontSize: Number.parseFloat(style('--terminal-size')) || 14,
            lineHeight: 1.25,
            scrollback: LINES,
            theme: colours(),
        });
        this.load();
        this.xterm.open(host);
        strictRows(this.xterm, strict);
        this.xterm.textarea?.setAttribute('aria-label',
            'Terminal: input of the running program');
        this.listen();
        this.fit();
    }

    get size(): TerminalSize {
        return { cols: this.xterm.cols, rows: this.xterm.rows };
    }

    /** Empties it for a run; pipes end lines with a bare newline. */
    begin(piped: boolean): void {
        this.xterm.reset();
        this.xterm.options.convertEol = piped;
        this.fit();
    }

    /** Nobody reads any more: no cursor. */
    end(): void {
        this.xterm.write('\x1b[?25l');
    }

    write(data: string): void {
        this.xterm.write(data);
    }

    focus(): void {
        this.xterm.focus();
    }

    fit(): void {
        if (this.host.offsetParent !== null) {
            this.fitter.fit();
        }
    }

    private load(): void {
        this.xterm.loadAddon(this.fitter);
        this.xterm.loadAddon(new Unicode11Addon());
        this.xterm.unicode.activeVersion = '11';
        // what a program prints is nobody's friend: it learns nothing of us
        this.xterm.loadAddon(new WebLinksAddon((_, url) => {
            window.open(url, '_blank', 'noopener,noreferrer');
        }));
    }

    private listen(): void {
        this.xterm.onData((data) => this.events.input(data));
        this.xterm.onResize((size) => this.events.resized(size));
        this.xterm.attachCustomKeyEventHandler((event) => this.key(event));
        new ResizeObserver(() => this.fit()).observe(this.host);
        matchMedia('(prefers-color-scheme: dark)')
            .addEventListener('change', () => {
                this.xterm.options.theme = colours();
            });
    }

    /** False leaves a key to the browser and the page. */
    private key(event: KeyboardEvent): boolean {
        if (event.key === 'F6' || (event.ctrlKey && event.key === 'Enter')) {
            return false;
        }
        if (event.key === 'Tab' && !this.events.listens()) {
            return false;
        }
        const command = event.ctrlKey || event.metaKey;
        if (command && event.key.toLowerCase() === 'v') {
            return false;
        }
        if (command && event.key.toLowerCase() === 'c'
            && (event.shiftKey || this.xterm.hasSelection())) {
            return this.copy(event);
        }
        return true;
    }

    private copy(event: KeyboardEvent): boolean {
        if (event.type === 'keydown') {
            event.preventDefault();
            void navigator.clipboard?.writeText(this.xterm.getSelection())
                .catch(() => undefined);
            this.xterm.clearSelection();
        }
        return false;
    }
}

function style(name: string): string {
    return getComputedStyle(document.documentElement)
        .getPropertyValue(name).trim();
}

const ANSI = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan',
    'white', 'brightBlack', 'brightRed', 'brightGreen', 'brightYellow',
    'brightBlue', 'brightMagenta', 'brightCyan', 'brightWhite'] as const;

function colours(): ITheme {
    const theme: ITheme = {
        background: style('--sheet'),
        foreground: style('--ink'),
        cursor: style('--accent'),
        cursorAccent: style('--sheet'),
        selectionBackground: style('--select'),
    };
    ANSI.forEach((name, i) => {
        theme[name] = style(`--ansi-${i}`);
    });
    return theme;
}
