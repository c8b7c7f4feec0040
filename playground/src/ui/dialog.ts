// Questions in a dialog: one field, an answer or none.

import { button, h } from './dom';

export interface Question {
    title: string;
    label: string;
    value?: string;
    type?: 'text' | 'password';
    accept: string;
    /** What is wrong with an answer. */
    check?(answer: string): string | undefined;
}

export function ask(question: Question): Promise<string | undefined> {
    const field = h('input', { type: question.type ?? 'text',
        value: question.value, id: 'dialog-field', autocomplete: 'off',
        spellcheck: 'false', autocapitalize: 'off',
        'aria-describedby': 'dialog-problem' });
    const problem = h('p', { id: 'dialog-problem', class: 'problem',
        role: 'alert' });
    const form = h('form', { method: 'dialog' },
        h('h2', { id: 'dialog-title' }, question.title),
        h('label', { for: 'dialog-field' }, question.label), field, problem);
    const dialog = h('dialog', { 'aria-labelledby': 'dialog-title' }, form);
    return new Promise((resolve) => {
        let answer: string | undefined;
        form.append(h('div', { class: 'dialog-buttons' },
            button('Cancel', () => dialog.close(), 'quiet'),
            h('button', { type: 'submit', class: 'primary' },
                question.accept)));
        form.addEventListener('submit', (event) => {
            event.preventDefault();
            problem.textContent = question.check?.(field.value) ?? '';
            if (!problem.textContent) {
                answer = field.value;
                dialog.close();
            }
        });
        dialog.addEventListener('close', () => {
            dialog.remove();
            resolve(answer);
        });
        document.body.append(dialog);
        dialog.showModal();
        field.select();
    });
}

/** A few words at the foot of the page that go away by themselves. */
export function toast(text: string, action?: { label: string;
    act(): void }): void {
    document.querySelector('.toast')?.remove();
    const box = h('div', { class: 'toast', role: 'status' },
        h('span', {}, text));
    if (action) {
        box.append(button(action.label, () => {
            box.remove();
            action.act();
        }));
    }
    document.body.append(box);
    window.setTimeout(() => box.remove(), action ? 20000 : 5000);
}
