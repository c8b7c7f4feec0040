// A row of tabs as screen readers know it: arrows move, one of them is the
// selected one and takes part in the order of Tab.

import { h } from './dom';

export interface Tab {
    id: string;
    label: string;
    mark?: number;          // findings in it
}

export class Tabs {
    private tabs: Tab[] = [];

    constructor(private readonly list: HTMLElement,
        private readonly panel: string,
        private readonly select: (id: string) => void) {
        list.setAttribute('role', 'tablist');
        list.addEventListener('keydown', (event) => this.key(event));
    }

    show(tabs: Tab[], selected: string): void {
        const hadFocus = this.list.contains(document.activeElement);
        this.tabs = tabs;
        this.list.replaceChildren(...tabs.map((tab) =>
            this.element(tab, tab.id === selected)));
        if (hadFocus) {
            this.list.querySelector<HTMLElement>('[aria-selected=true]')
                ?.focus();
        }
    }

    private element(tab: Tab, selected: boolean): HTMLElement {
        const element = h('button', { type: 'button', role: 'tab',
            class: 'tab', 'aria-selected': String(selected),
            'aria-controls': this.panel, 'data-tab': tab.id,
            tabindex: selected ? '0' : '-1' }, tab.label,
        tab.mark ? h('span', { class: 'count', 'aria-label':
            `${tab.mark} findings` }, String(tab.mark)) : undefined);
        element.addEventListener('click', () => this.select(tab.id));
        return element;
    }

    private key(event: KeyboardEvent): void {
        const at = this.tabs.findIndex((tab) => tab.id
            === (event.target as HTMLElement).dataset['tab']);
        const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0,
            End: this.tabs.length - 1 }[event.key];
        const tab = to === undefined || at < 0 ? undefined
            : this.tabs[(to + this.tabs.length) % this.tabs.length];
        if (tab) {
            event.preventDefault();
            this.select(tab.id);
        }
    }
}
