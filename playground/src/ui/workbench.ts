// The left pane: the files of a piece of work as tabs over the editor, its
// arguments and input below, findings of compilers and policies in the text.

import { Editor } from '../editor/editor';
import type { Finding } from '../editor/diagnostics';
import { MOST_FILES, type Work, nameProblem } from '../work/work';
import { ask } from './dialog';
import { find } from './dom';
import { Tabs } from './tabs';

export class Workbench {
    work: Work = { language: '', files: [{ name: 'main', content: '' }],
        active: 0, args: '', stdin: '' };
    private readonly editor: Editor;
    private readonly tabs: Tabs;
    private readonly args = find<HTMLInputElement>('args');
    private readonly stdin = find<HTMLTextAreaElement>('stdin');
    private found: Finding[] = [];
    private showing = false;

    constructor(private readonly changed: (work: Work) => void) {
        this.editor = new Editor(find('code'), {
            label: 'Program', lineNumbers: true,
            changed: (text) => this.edited(text),
        });
        this.tabs = new Tabs(find('files'), 'code',
            (id) => this.select(Number(id)));
        find('add').addEventListener('click', () => void this.add());
        find('rename').addEventListener('click', () => void this.rename());
        find('remove').addEventListener('click', () => this.remove());
        for (const field of [this.args, this.stdin]) {
            field.addEventListener('input', () => this.given());
        }
    }

    /** Shows other work; what was typed before is forgotten here. */
    open(work: Work): void {
        this.work = work;
        this.found = [];
        this.editor.reset();
        this.args.value = work.args;
        this.stdin.value = work.stdin;
        find<HTMLDetailsElement>('given').open =
            !!(work.args || work.stdin);
        this.show();
    }

    focus(): void {
        this.editor.focus();
    }

    mark(found: Finding[]): void {
        this.found = found;
        const first = found.find((f) => f.severity !== 'warning');
        const index = this.work.files.findIndex(
            (f) => f.name === first?.file);
        if (index >= 0 && !found.some((f) => f.file === this.file.name)) {
            this.work.active = index;
        }
        this.show();
    }

    private get file(): { name: string; content: string } {
        return this.work.files[this.work.active]
            ?? this.work.files[0] ?? { name: '', content: '' };
    }

    private show(): void {
        const file = this.file;
        find('code').dataset['language'] = this.work.language;
        this.showing = true;
        this.editor.open(file.name, file.content, this.work.language);
        this.editor.mark(this.found.filter((f) => f.file === file.name));
        this.showing = false;
        this.showTabs();
        this.hint();
    }

    private showTabs(): void {
        this.tabs.show(this.work.files.map((file, i) => ({ id: String(i),
            label: file.name, mark: this.found.filter(
                (f) => f.file === file.name).length })),
        String(this.work.active));
        const movable = this.work.active > 0;
        find('rename').hidden = !movable;
        find('remove').hidden = !movable;
        find('add').hidden = this.work.files.length >= MOST_FILES;
    }

    private select(index: number): void {
        this.work.active = index;
        this.show();
        this.changed(this.work);
    }

    private edited(text: string): void {
        if (this.showing) {
            return;
        }
        this.file.content = text;
        if (this.found.some((f) => f.file === this.file.name)) {
            this.found = this.found.filter(
                (f) => f.file !== this.file.name);
            this.showTabs();
        }
        this.changed(this.work);
    }

    private given(): void {
        this.work.args = this.args.value;
        this.work.stdin = this.stdin.value;
        this.hint();
        this.changed(this.work);
    }

    private hint(): void {
        const set = [this.work.args && 'arguments', this.work.stdin
            && 'input'].filter(Boolean).join(' and ');
        find('given-hint').textContent = set ? `· ${set} set` : '';
    }

    private async add(): Promise<void> {
        const name = await ask({ title: 'Add a file', label: 'Its name',
            accept: 'Add', value: this.suggestion(),
            check: (answer) => nameProblem(answer, this.work.files) });
        if (name) {
            this.work.files.push({ name, content: '' });
            this.select(this.work.files.length - 1);
            this.focus();
        }
    }

    private suggestion(): string {
        const main = this.work.files[0]?.name ?? '';
        const ending = /\.[^.]+$/.exec(main)?.[0] ?? '';
        for (let i = 1; ; i++) {
            const name = `part${i}${ending}`;
            if (!nameProblem(name, this.work.files)) {
                return name;
            }
        }
    }

    private async rename(): Promise<void> {
        const file = this.file;
        const others = this.work.files.filter((f) => f !== file);
        const name = await ask({ title: 'Rename the file',
            label: 'Its new name', accept: 'Rename', value: file.name,
            check: (answer) => nameProblem(answer, others) });
        if (name) {
            file.name = name;
            this.show();
            this.changed(this.work);
        }
    }

    private remove(): void {
        if (this.work.active > 0) {
            this.work.files.splice(this.work.active, 1);
            this.select(this.work.active - 1);
        }
    }
}
