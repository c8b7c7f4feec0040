// The bar: language, examples, share, download, and the button.

import type { Language } from '../protocol/server';
import { type RunState, isActive } from '../run/state';
import { examplesOf } from '../work/examples';
import { find, h } from './dom';

export interface ToolbarEvents {
    language(name: string): void;
    example(id: string): void;
    share(): void;
    download(): void;
    run(): void;
    stop(): void;
}

const NAMES: Record<string, string> = { javascript: 'JavaScript', c: 'C',
    cpp: 'C++', typescript: 'TypeScript', php: 'PHP', csharp: 'C#' };

export function titleOf(language: string): string {
    return NAMES[language]
        ?? language.charAt(0).toUpperCase() + language.slice(1);
}

export class Toolbar {
    private readonly language = find<HTMLSelectElement>('language');
    private readonly example = find<HTMLSelectElement>('example');
    private readonly button = find<HTMLButtonElement>('run');
    private active = false;

    constructor(events: ToolbarEvents) {
        this.language.addEventListener('change',
            () => events.language(this.language.value));
        this.example.addEventListener('change', () => {
            events.example(this.example.value);
            this.example.value = '';
        });
        find('share').addEventListener('click', () => events.share());
        find('download').addEventListener('click',
            () => events.download());
        this.button.addEventListener('click',
            () => this.active ? events.stop() : events.run());
    }

    showLanguages(languages: Language[], selected: string): void {
        this.language.replaceChildren(...languages.map((language) => {
            const option = h('option', { value: language.name,
                title: language.version }, titleOf(language.name)
                + (language.available ? '' : ' (not available)'));
            option.disabled = !language.available;
            return option;
        }));
        this.showLanguage(selected);
    }

    showLanguage(name: string): void {
        this.language.value = name;
        this.example.replaceChildren(
            h('option', { value: '' }, 'Examples…'),
            ...examplesOf(name).map((example) =>
                h('option', { value: example.id }, example.title)));
    }

    show(state: RunState): void {
        this.active = isActive(state);
        this.button.disabled = false;
        this.button.dataset['stops'] = String(this.active);
        const label = this.active ? 'Stop' : 'Run';
        if (find('run-label').textContent !== label) {
            find('run-label').textContent = label;
        }
        const keys = this.button.querySelector('kbd');
        if (keys) {
            keys.hidden = this.active;
        }
    }
}
