// The page put together: what its parts say is answered here.

import { type Finding, findings } from './editor/diagnostics';
import type { Diagnostic, Execute, Failure, ServerMessage }
    from './protocol/messages';
import { type Language, fetchLanguages } from './protocol/server';
import { keptJob } from './run/job';
import { Runner } from './run/runner';
import { type Phase, type RunState, isActive, takesInput }
    from './run/state';
import type { Remedy } from './run/words';
import { ask, toast } from './ui/dialog';
import { find } from './ui/dom';
import { OutputPane } from './ui/output';
import { Split } from './ui/split';
import { Status } from './ui/status';
import { Toolbar } from './ui/toolbar';
import { Workbench } from './ui/workbench';
import { downloadWork } from './work/download';
import { examplesOf, loadExample } from './work/examples';
import { fromFragment, toFragment } from './work/share';
import { choice, choose, keepBefore, keepWork, keptBefore, keptWork }
    from './work/store';
import { type Work, splitArguments } from './work/work';

const OUTPUT_KEPT = 200000;     // of what is searched for findings

/** What a <meta> of the page says; no or an empty one says nothing. */
function named(name: string): string | undefined {
    const meta = document.querySelector<HTMLMetaElement>(
        `meta[name="codr-${name}"]`);
    return meta?.content
        ? new URL(meta.content, document.baseURI).href : undefined;
}

function endpoint(name: string): string {
    return named(name) ?? new URL(name, document.baseURI).href;
}

export class App {
    private readonly bench = new Workbench((work) => this.changed(work));
    private readonly output: OutputPane;
    private readonly status = new Status((remedy) => void this.act(remedy));
    private readonly toolbar: Toolbar;
    private readonly runner: Runner;
    private languages: Language[] = [];
    private key: string | undefined;
    private ran = '';               // what the run in hand has written
    private hasStdin = false;
    private saving = 0;
    private wanted = '';            // the language last asked for
    private phase: Phase = 'idle';

    constructor() {
        new Split(find('split'), find('panes'));
        this.runner = new Runner({ url: endpoint('run')
            .replace(/^http/, 'ws'), key: () => this.key, keep: true }, {
            changed: (state) => this.show(state),
            message: (message) => this.received(message),
        });
        this.output = new OutputPane({
            input: (data) => this.runner.send({ type: 'input', data }),
            end: () => this.runner.send({ type: 'eof' }),
            interrupt: () => this.interrupt(),
            resized: (size) => this.runner.send({ type: 'resize', ...size }),
        });
        this.toolbar = new Toolbar({
            language: (name) => void this.switchTo(name),
            example: (id) => void this.openExample(id),
            share: () => void this.share(),
            download: () => downloadWork(this.bench.work),
            run: () => this.run(),
            stop: () => this.runner.stop(),
        });
        this.listen();
    }

    async start(): Promise<void> {
        await this.askLanguages();
        const shared = await fromFragment(location.hash);
        const first = shared?.language ?? choice('language') ?? '';
        const language = this.languageOf(first) ?? this.languages.find(
            (l) => l.available) ?? this.languages[0];
        if (!language) {
            return;
        }
        if (shared && this.languageOf(shared.language)) {
            this.openShared(shared);
        } else {
            await this.switchTo(language.name);
        }
        this.toolbar.showLanguages(this.languages, language.name);
        this.show(this.runner.state);
        this.resume();
        document.documentElement.dataset['ready'] = 'true';
    }

    private listen(): void {
        find('skip').addEventListener('click', (event) => {
            event.preventDefault();
            this.bench.focus();
        });
        find('interrupt').addEventListener('click', () => this.interrupt());
        find('eof').addEventListener('click',
            () => this.runner.send({ type: 'eof' }));
        window.addEventListener('hashchange', () => void this.hashChanged());
        window.addEventListener('pagehide', () => this.save());
        document.addEventListener('keydown', (event) => this.keyed(event),
            { capture: true });
    }

    private keyed(event: KeyboardEvent): void {
        const command = event.ctrlKey || event.metaKey;
        if (command && event.key === 'Enter') {
            event.preventDefault();
            event.stopPropagation();
            this.run();
        } else if (event.key === 'F6') {
            event.preventDefault();
            if (find('code').contains(document.activeElement)) {
                this.output.focus();
            } else {
                this.bench.focus();
            }
        }
    }

    private async askLanguages(): Promise<void> {
        try {
            this.languages = await fetchLanguages(
                endpoint('languages'));
        } catch {
            find('status').dataset['tone'] = 'bad';
            find('status-title').textContent = 'The server does not answer';
            find('status-detail').textContent = 'Reload the page to try again';
        }
    }

    private languageOf(name: string): Language | undefined {
        const wanted = name.toLowerCase();
        return this.languages.find((l) => l.name === wanted
            || l.aliases.includes(wanted));
    }

    private async switchTo(name: string): Promise<void> {
        const language = this.languageOf(name);
        if (!language) {
            return;
        }
        this.save();
        choose('language', language.name);
        this.toolbar.showLanguage(language.name);
        this.wanted = language.name;
        const work = keptWork(language.name)
            ?? await this.firstWork(language);
        if (this.wanted === language.name) {    // nobody was faster
            this.bench.open(work);
        }
    }

    private async firstWork(language: Language): Promise<Work> {
        const example = examplesOf(language.name)[0];
        return example
            ? loadExample(language.name, example.id, language.source)
            : { language: language.name, active: 0, args: '', stdin: '',
                files: [{ name: language.source, content: '' }] };
    }

    private async openExample(id: string): Promise<void> {
        const language = this.languageOf(this.bench.work.language);
        if (language && id) {
            const before = this.bench.work;
            const work = await loadExample(language.name, id,
                language.source);
            this.bench.open(work);
            keepWork(work);
            toast('Opened an example.', { label: 'Back to my program',
                act: () => this.restore(before) });
        }
    }

    private restore(work: Work): void {
        keepWork(work);
        this.wanted = work.language;
        choose('language', work.language);
        this.toolbar.showLanguage(work.language);
        this.bench.open(work);
    }

    private async hashChanged(): Promise<void> {
        const shared = await fromFragment(location.hash);
        if (shared && this.languageOf(shared.language)) {
            this.save();
            this.openShared(shared);
        }
    }

    private openShared(work: Work): void {
        const language = this.languageOf(work.language);
        if (!language) {
            return;
        }
        const before = keptWork(language.name);
        keepBefore(before);
        history.replaceState(null, '', location.pathname + location.search);
        this.restore({ ...work, language: language.name });
        toast('Opened a shared program.', before ? {
            label: 'Back to my program',
            act: () => this.restore(keptBefore() ?? before) } : undefined);
    }

    private async share(): Promise<void> {
        const url = new URL(location.href);
        url.hash = await toFragment(this.bench.work);
        try {
            await navigator.clipboard.writeText(url.href);
            toast('The link is in the clipboard: it holds the program itself.');
        } catch {
            await ask({ title: 'Share', label: 'The link holds the program',
                accept: 'Done', value: url.href });
        }
    }

    private changed(work: Work): void {
        window.clearTimeout(this.saving);
        this.saving = window.setTimeout(() => keepWork(work), 300);
    }

    private save(): void {
        window.clearTimeout(this.saving);
        if (this.bench.work.language) {
            keepWork(this.bench.work);
        }
    }

    private run(): void {
        if (isActive(this.runner.state) || !this.languages.length) {
            return;
        }
        const work = this.bench.work;
        const [main, ...files] = work.files;
        const tty = this.output.terminalOf(work.stdin !== '');
        const execute: Execute = { type: 'execute', language: work.language,
            code: main?.content ?? '', tty };
        if (files.length) {
            execute.files = files.map(({ name, content }) =>
                ({ name, content }));
        }
        const args = splitArguments(work.args);
        if (args.length) {
            execute.args = args;
        }
        if (work.stdin) {
            execute.stdin = work.stdin;
        }
        this.save();
        this.begin(tty === false, work.stdin !== '');
        this.runner.run(execute, named('ticket'));
        this.output.focus();
    }

    private begin(piped: boolean, hasStdin: boolean): void {
        this.ran = '';
        this.hasStdin = hasStdin;
        this.bench.mark([]);
        this.output.begin(piped);
    }

    private resume(): void {
        const job = keptJob();
        if (job) {
            this.begin(job.piped ?? false, false);
            this.runner.resume(job);
        }
    }

    private interrupt(): void {
        this.runner.send({ type: 'signal', signal: 'SIGINT' });
        this.output.focus();
    }

    private async act(remedy: Remedy): Promise<void> {
        if (remedy === 'key') {
            const key = await ask({ title: 'A key for this server',
                label: 'Kept until this page is closed', type: 'password',
                accept: 'Run with it' });
            if (!key) {
                return;
            }
            this.key = key.trim();
            this.runner.disconnect();
        }
        this.run();
    }

    private show(state: RunState): void {
        this.toolbar.show(state);
        this.status.show(state);
        const open = takesInput(state) && !this.hasStdin;
        this.output.listen(isActive(state), open);
        if (this.phase === 'reconnecting' && state.phase === 'running') {
            this.output.announce();
        }
        this.phase = state.phase;
        find('interrupt').hidden = !takesInput(state);
        find('eof').hidden = !open;
        if (state.phase === 'done') {
            this.bench.mark(this.found(state.complete?.compile?.output));
        }
    }

    private received(message: ServerMessage): void {
        switch (message.type) {
        case 'output':
            this.ran = (this.ran + message.data).slice(-OUTPUT_KEPT);
            this.output.write(message);
            break;
        case 'stage':
            if (message.stage === 'run' && message.compile?.output) {
                this.output.say(message.compile.output);
            }
            break;
        case 'started':
            if (message.warnings) {
                this.output.say(this.list(message.warnings));
            }
            break;
        case 'error':
            this.failed(message);
            break;
        case 'notice':
            toast(message.message);
            break;
        }
    }

    private failed(failure: Failure): void {
        const compiler = failure.compile?.output
            ?? (failure.code === 'compile_error' ? failure.message : '');
        const policy = failure.diagnostics ?? [];
        if (compiler) {
            this.output.say(compiler);
        } else if (policy.length) {
            this.output.say(this.list(policy));
        }
        this.bench.mark([...this.placed(policy), ...this.found(compiler)]);
    }

    private list(diagnostics: Diagnostic[]): string {
        return this.placed(diagnostics).map((d) =>
            `${d.file}:${d.line}:${d.column}: ${d.message}`).join('\n');
    }

    /** A policy's finding without a file is one of the main file. */
    private placed(diagnostics: Diagnostic[]): Finding[] {
        const main = this.bench.work.files[0]?.name ?? '';
        return diagnostics.map((d) => ({ ...d, file: d.file ?? main }));
    }

    private found(compiler: string | undefined): Finding[] {
        const sources = new Map(this.bench.work.files.map((f) =>
            [f.name, f.content]));
        return findings(`${compiler ?? ''}\n${this.ran}`, sources);
    }
}
