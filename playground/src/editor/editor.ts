// The editor of a page: one CodeMirror view, one state per file.  It lives in
// a shadow root, where CodeMirror's styles are adopted style sheets and no
// style element: a content security policy without 'unsafe-inline' holds.

import { closeBrackets, closeBracketsKeymap }
    from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab }
    from '@codemirror/commands';
import { bracketMatching, indentOnInput, indentUnit }
    from '@codemirror/language';
import { type Diagnostic as Mark, lintGutter, lintKeymap, setDiagnostics }
    from '@codemirror/lint';
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search';
import { Compartment, EditorState, type Extension } from '@codemirror/state';
import { EditorView, drawSelection, highlightActiveLine,
    highlightActiveLineGutter, highlightSpecialChars, keymap, lineNumbers }
    from '@codemirror/view';

import type { Diagnostic } from '../protocol/messages';
import { rangeOf } from './diagnostics';
import { grammarOf, loadGrammar } from './languages';
import { theme } from './theme';
import { typing } from './typing';

export interface EditorOptions {
    label: string;
    lineNumbers: boolean;
    readOnly?: boolean;
    changed(text: string): void;
}

export class Editor {
    private readonly view: EditorView;
    private readonly grammar = new Compartment();
    private readonly shade = new Compartment();
    private readonly states = new Map<string, EditorState>();
    private readonly dark = matchMedia('(prefers-color-scheme: dark)');
    private current = '';

    constructor(host: HTMLElement, private readonly options: EditorOptions) {
        const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' });
        const parent = document.createElement('div');
        parent.className = 'editor';
        parent.style.height = '100%';
        root.append(parent);
        this.view = new EditorView({ parent, root,
            state: this.fresh('', '') });
        this.dark.addEventListener('change', () => this.reshade());
    }

    get text(): string {
        return this.view.state.doc.toString();
    }

    /** Shows a file: as it was left, or new with this text. */
    open(name: string, text: string, language: string): void {
        if (this.current) {
            this.states.set(this.current, this.view.state);
        }
        const kept = this.states.get(name);
        this.current = name;
        this.view.setState(kept && kept.doc.toString() === text
            ? kept : this.fresh(text, name));
        this.reshade();
        void this.colour(name, grammarOf(name, language));
    }

    /** Forgets the undo history of all files. */
    reset(): void {
        this.states.clear();
        this.current = '';
    }

    focus(): void {
        this.view.focus();
    }

    mark(found: Diagnostic[]): void {
        const text = this.text;
        const marks = found.map((one): Mark => ({
            ...rangeOf(text, one),
            severity: one.severity === 'warning' ? 'warning' : 'error',
            message: one.message,
        })).sort((a, b) => a.from - b.from);
        this.view.dispatch(setDiagnostics(this.view.state, marks));
    }

    private async colour(name: string, grammar: string): Promise<void> {
        const extension = await loadGrammar(grammar);
        if (this.current === name) {
            this.view.dispatch({
                effects: this.grammar.reconfigure(extension) });
        }
    }

    private reshade(): void {
        this.view.dispatch({ effects: this.shade.reconfigure(
            EditorView.darkTheme.of(this.dark.matches)) });
    }

    private fresh(text: string, name: string): EditorState {
        return EditorState.create({ doc: text,
            extensions: this.extensions(name) });
    }

    private extensions(name: string): Extension {
        const unit = /\.(js|mjs|cjs|ts|lua)$/.test(name) ? '  ' : '    ';
        return [
            this.options.lineNumbers
                ? [lineNumbers(), highlightActiveLineGutter(), lintGutter(),
                    highlightActiveLine()]
                : [],
            highlightSpecialChars(), history(), drawSelection(),
            indentOnInput(), bracketMatching(), closeBrackets(),
            highlightSelectionMatches(),
            EditorState.tabSize.of(8), indentUnit.of(unit),
            EditorState.readOnly.of(this.options.readOnly ?? false),
            keymap.of([...closeBracketsKeymap, ...searchKeymap,
                ...historyKeymap, ...lintKeymap,
                ...defaultKeymap.filter((k) => k.key !== 'Mod-Enter'),
                indentWithTab]),
            EditorView.contentAttributes.of({
                'aria-label': this.options.label, autocapitalize: 'off',
                autocorrect: 'off', spellcheck: 'false' }),
            EditorView.updateListener.of((update) => {
                if (update.docChanged) {
                    this.options.changed(update.state.doc.toString());
                }
            }),
            this.grammar.of([]), this.shade.of([]), theme, typing,
        ];
    }
}
