// Elements in one expression.  Text is always text: nothing here parses HTML.

type Child = Node | string | undefined | false;

export function h<K extends keyof HTMLElementTagNameMap>(name: K,
    attributes: Record<string, string | undefined> = {},
    ...children: Child[]): HTMLElementTagNameMap[K] {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
        if (value !== undefined) {
            element.setAttribute(key, value);
        }
    }
    element.append(...children.filter((c): c is Node | string => !!c));
    return element;
}

export function button(label: string, press: () => void, kind = '',
    name?: string): HTMLButtonElement {
    const element = h('button', { type: 'button', class: kind || undefined,
        'aria-label': name, title: name }, label);
    element.addEventListener('click', press);
    return element;
}

/** An element of the page's own markup. */
export function find<T extends HTMLElement>(id: string): T {
    const element = document.getElementById(id);
    if (!element) {
        throw new Error(`the page has no #${id}`);
    }
    return element as T;
}
