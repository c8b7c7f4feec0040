// <codr-run language="python">…</codr-run>: a sample of a page, made runnable.
// docs/playground.md has its attributes.  Everything is in a shadow root with
// adopted style sheets, so it works under a strict policy of the page it is on
// and neither side's styles reach the other.

import { Editor } from '../editor/editor';
import type { Execute, ServerMessage } from '../protocol/messages';
import { type RunState, isActive, takesInput } from '../run/state';
import { describe } from '../run/words';
import colours from '../style/colours.css?inline';
import { Plain } from '../terminal/plain';
import { button, h } from '../ui/dom';
import { splitArguments } from '../work/work';
import look from './codr-run.css?inline';
import { type Guest, Station, stationOf } from './station';
import { sampleOf } from './sample';

const HERE = (document.currentScript as HTMLScriptElement | null)?.src
    ?? document.baseURI;
const TICK_MS = 100;

let sheet: CSSStyleSheet | undefined;

/** One style sheet for all of them: colours of the page, as the host's. */
function styleSheet(): CSSStyleSheet {
    if (!sheet) {
        sheet = new CSSStyleSheet();
        sheet.replaceSync(colours.replace(/:root/g, ':host') + look);
    }
    return sheet;
}

export class CodrRun extends HTMLElement implements Guest {
    private text = '';
    private editor: Editor | undefined;
    private readonly host = h('div', { class: 'code' });
    private readonly pre = h('pre', { class: 'before' });
    private readonly runButton = button('Run', () => this.press(), 'run');
    private readonly ending = h('strong', { role: 'status' });
    private readonly detail = h('span', { class: 'detail' });
    private readonly foot = h('div', { class: 'foot' }, this.ending,
        this.detail);
    private readonly plain = new Plain({
        line: (data) => this.station.send(this, { type: 'input', data }),
        end: () => this.station.send(this, { type: 'eof' }),
    });
    private timer = 0;

    connectedCallback(): void {
        if (this.shadowRoot) {
            return;
        }
        this.text = sampleOf(this.textContent ?? '');
        const root = this.attachShadow({ mode: 'open' });
        root.adoptedStyleSheets = [styleSheet()];
        root.append(this.build());
        this.pre.textContent = this.text;
        this.whenSeen(() => this.startEditor());
    }

    get code(): string {
        return this.text;
    }

    set code(text: string) {
        this.text = text;
        this.pre.textContent = text;
        this.editor?.open(this.fileName, text, this.language);
    }

    run(): void {
        this.station.run(this);
    }

    stop(): void {
        this.station.stop(this);
    }

    /** What the station is to send. */
    execute(): Execute {
        const stdin = this.getAttribute('stdin');
        const args = splitArguments(this.getAttribute('args') ?? '');
        return { type: 'execute', language: this.language,
            code: `${this.text}\n`,
            ...(args.length ? { args } : {}),
            ...(stdin === null ? {} : { stdin }) };
    }

    ticketUrl(): string | undefined {
        const url = this.getAttribute('ticket');
        return url === null ? undefined : new URL(url, document.baseURI).href;
    }

    began(): void {
        this.plain.begin();
        this.plain.element.hidden = false;
        this.foot.hidden = false;
    }

    changed(state: RunState): void {
        window.clearInterval(this.timer);
        this.show(state);
        if (state.phase === 'running') {
            this.timer = window.setInterval(() => this.show(state), TICK_MS);
        }
    }

    message(message: ServerMessage): void {
        if (message.type === 'output') {
            this.plain.write(message.stream, message.data);
        } else if (message.type === 'error') {
            const said = message.compile?.output ?? message.diagnostics?.map(
                (d) => `${d.line}:${d.column}: ${d.message}`).join('\n');
            this.plain.write('stderr', said ? `${said}\n` : '');
        }
        if (message.type === 'error' || message.type === 'complete') {
            this.dispatchEvent(new CustomEvent('codr-end',
                { detail: message, bubbles: true }));
        }
    }

    private get language(): string {
        return this.getAttribute('language') ?? '';
    }

    private get fileName(): string {
        return `sample.${this.language || 'txt'}`;
    }

    private get label(): string {
        return this.getAttribute('label') ?? `Sample in ${this.language}`;
    }

    private get station(): Station {
        const server = this.getAttribute('server');
        return stationOf(new URL(server ?? 'run',
            server === null ? HERE : document.baseURI).href);
    }

    private build(): HTMLElement {
        this.plain.element.hidden = true;
        this.foot.hidden = true;
        this.runButton.setAttribute('aria-label', `Run: ${this.label}`);
        this.host.append(this.pre);
        return h('section', { class: 'box', 'aria-label': this.label },
            h('div', { class: 'head' },
                h('span', { class: 'label' }, this.label), this.runButton),
            this.host, this.plain.element, this.foot);
    }

    /** Twenty editors at once would be felt; what nobody sees can wait. */
    private whenSeen(act: () => void): void {
        const observer = new IntersectionObserver((entries) => {
            if (entries.some((entry) => entry.isIntersecting)) {
                observer.disconnect();
                act();
            }
        }, { rootMargin: '200px' });
        observer.observe(this);
    }

    private startEditor(): void {
        const place = h('div', { class: 'editor' });
        this.host.replaceChildren(place);
        this.editor = new Editor(place, {
            label: this.label, lineNumbers: false,
            readOnly: this.hasAttribute('readonly'),
            changed: (text) => {
                this.text = text;
            },
        });
        this.editor.open(this.fileName, this.text, this.language);
        place.addEventListener('keydown', (event) => {
            if ((event.ctrlKey || event.metaKey) && event.key === 'Enter') {
                event.preventDefault();
                this.run();
            }
        }, { capture: true });
    }

    private press(): void {
        if (this.station.runs(this)) {
            this.stop();
        } else {
            this.run();
        }
    }

    private show(state: RunState): void {
        const words = describe(state, Date.now());
        this.foot.dataset['tone'] = words.tone;
        if (this.ending.textContent !== words.title) {
            this.ending.textContent = words.title;
        }
        this.detail.textContent = words.detail;
        const active = isActive(state);
        this.runButton.textContent = active ? 'Stop' : 'Run';
        this.runButton.dataset['stops'] = String(active);
        this.runButton.setAttribute('aria-label',
            `${active ? 'Stop' : 'Run'}: ${this.label}`);
        this.plain.listening(takesInput(state)
            && !this.hasAttribute('stdin'));
    }
}

if (!customElements.get('codr-run')) {
    customElements.define('codr-run', CodrRun);
}
