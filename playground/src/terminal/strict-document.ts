// A document for xterm.js under a strict content security policy.  xterm.js
// writes style elements and style attributes, which such a policy ignores;
// here the first become adopted style sheets, the second go through the
// object model, which the policy allows.

type Styled = HTMLElement & { style: CSSStyleDeclaration };

/** An element whose text is a style sheet of this root. */
function sheetElement(root: Document | ShadowRoot): HTMLElement {
    const element = document.createElement('div');
    const sheet = new CSSStyleSheet();
    element.hidden = true;
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
    Object.defineProperty(element, 'textContent', {
        set: (text: string) => sheet.replaceSync(text),
        get: () => '',
    });
    return element;
}

function spanElement(): HTMLElement {
    const element = document.createElement('span') as Styled;
    element.setAttribute = (name: string, value: string) => {
        if (name === 'style') {
            element.style.cssText = value;
        } else {
            Element.prototype.setAttribute.call(element, name, value);
        }
    };
    return element;
}

export function strictDocument(root: Document | ShadowRoot): Document {
    const createElement = (name: string): HTMLElement =>
        name === 'style' ? sheetElement(root)
            : name === 'span' ? spanElement()
            : document.createElement(name);
    return new Proxy(document, {
        get(target, property) {
            if (property === 'createElement') {
                return createElement;
            }
            const value: unknown = Reflect.get(target, property, target);
            return typeof value === 'function' ? value.bind(target) : value;
        },
    });
}

interface Inside {
    _core?: { _renderService?: { _renderer?: { value?: {
        _rowFactory?: { _document: Document } } } } };
}

/**
 * Rows take the page's own document whatever the terminal was given, so they
 * are told behind its back.  The version of xterm.js is fixed, and a browser
 * test sees whether this still holds.
 */
export function strictRows(terminal: object, strict: Document): void {
    const factory = (terminal as Inside)._core?._renderService?._renderer
        ?.value?._rowFactory;
    if (factory) {
        factory._document = strict;
    }
}
