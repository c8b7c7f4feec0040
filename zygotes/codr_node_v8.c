/*
 * V8's own interface, by the names that its functions have in every version
 * that node 18 to 22 are built with, looked up in the interpreter itself: no
 * header is needed, and one that lacks a name has no zygote.  A Local is one
 * pointer, and so is a MaybeLocal.
 */

#define _GNU_SOURCE

#include "codr_node_v8.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdint.h>

#include "codr_util.h"

typedef struct {
    void   *(*isolate)(void);
    void   *(*context)(void *isolate);
    void    (*open_scope)(void *scope, void *isolate);
    void    (*close_scope)(void *scope);
    void   *(*string)(void *isolate, const char *text, int type, int length);
    void   *(*compile)(void *context, void *string, void *origin);
    void   *(*run)(void *script, void *context);
    bool    (*boolean)(const void *value, void *isolate);
} v8_t;

typedef struct {
    size_t       at;
    const char  *name;
} symbol_t;

static v8_t v8;

#define SYMBOL(member, name)  { offsetof(v8_t, member), "_Z" name }

static const symbol_t symbols[] = {
    SYMBOL(isolate, "N2v87Isolate10GetCurrentEv"),
    SYMBOL(context, "N2v87Isolate17GetCurrentContextEv"),
    SYMBOL(open_scope, "N2v811HandleScopeC1EPNS_7IsolateE"),
    SYMBOL(close_scope, "N2v811HandleScopeD1Ev"),
    SYMBOL(string, "N2v86String11NewFromUtf8EPNS_7IsolateEPKc"
                   "NS_13NewStringTypeEi"),
    SYMBOL(compile, "N2v86Script7CompileENS_5LocalINS_7ContextEEE"
                    "NS1_INS_6StringEEEPNS_12ScriptOriginE"),
    SYMBOL(run, "N2v86Script3RunENS_5LocalINS_7ContextEEE"),
    SYMBOL(boolean, "NK2v85Value12BooleanValueEPNS_7IsolateE"),
};


bool
codr_node_v8_open(void)
{
    size_t  i;
    void  **member;

    for (i = 0; i < CODR_ARRAY_LEN(symbols); i++) {
        member = (void **) ((char *) &v8 + symbols[i].at);
        *member = dlsym(RTLD_DEFAULT, symbols[i].name);
        if (*member == NULL) {
            return false;
        }
    }

    return v8.isolate() != NULL;
}


uintptr_t
codr_node_v8_code(void)
{
    return (uintptr_t) v8.isolate;
}


bool
codr_node_v8_run(const char *text)
{
    void *isolate = v8.isolate(), *context, *string, *script, *value;
    void *scope[16];            /* a HandleScope has three */
    bool  yes;

    v8.open_scope(scope, isolate);
    context = v8.context(isolate);
    string = v8.string(isolate, text, 0, -1);
    script = string ? v8.compile(context, string, NULL) : NULL;
    value = script ? v8.run(script, context) : NULL;
    yes = value && v8.boolean(value, isolate);
    v8.close_scope(scope);

    return yes;
}


bool
codr_node_v8_at_end(void (*call)(void *data))
{
    void (*add)(void *isolate, void (*call)(void *data), void *data);

    *(void **) &add = dlsym(RTLD_DEFAULT, "_ZN4node25AddEnvironmentCleanupHook"
                            "EPN2v87IsolateEPFvPvES3_");
    if (add) {
        add(v8.isolate(), call, NULL);
    }

    return add != NULL;
}


/* V8 moves what lives together, and gives back what is only garbage: a clone
   that wrote over that would copy it first.  Code that was not run for some
   collections is thrown away, and this makes several at once. */
void
codr_node_v8_collect(void)
{
    void    (*set)(const char *flag);
    void    (*collect)(void *isolate);

    *(void **) &set = dlsym(RTLD_DEFAULT,
                            "_ZN2v82V818SetFlagsFromStringEPKc");
    *(void **) &collect = dlsym(RTLD_DEFAULT,
                                "_ZN2v87Isolate21LowMemoryNotificationEv");

    if (set && collect) {
        set("--no-flush-bytecode");
        collect(v8.isolate());
        set("--flush-bytecode");
    }
}
