# The compile stage is as confined as the run stage: no compiled language can
# read the host, leave something for the run stage, hand over something that is
# no program, or cost more than its limits.

use strict;
use warnings;

use Codr::Host qw(build cgroups need slow slurp spew);
use Codr::Hygiene;
use Codr::Nginx;
use Codr::Probe;
use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use Test::More;
use Time::HiRes qw(time);

need(qw(module helper probes /usr/bin/gcc /usr/bin/g++));

my $dir = Codr::Nginx::dir();
my $CANARY = "canary_$$";
spew("$dir/secret.h", "#define SECRET $CANARY\n$CANARY\n");
chmod 0644, "$dir/secret.h";
local $ENV{CODR_CANARY} = $CANARY;

my %PROBES = (
    probe_calls => 'native x32 int80 arguments',
    probe_net   => '',
    probe_view  => 'self mounts dev proc tree',
);
my %outside = (
    probe_calls => {
        %{ Codr::Probe::outside($dir, 1, 'probe_calls', 'native') },
        %{ Codr::Probe::outside($dir, 0, 'probe_calls',
            qw(x32 int80 arguments)) },
    },
    map { $_ => Codr::Probe::outside($dir, 0, $_, split ' ', $PROBES{$_}) }
        qw(probe_net probe_view),
);

my $nginx = Codr::Nginx->new(dir => $dir,
    location => 'codr_compile_timeout 8s; codr_compile_memory 512m;',
    server => Codr::Hygiene::location(),
    http => 'codr_bind ' . build() . '/t/sandbox /opt/probe;' . <<'END');
codr_language script {
    source main.sh;
    compile /bin/sh $source $program;
    run $program;
}
END
ok($nginx->ready, 'the server is ready');
my $hygiene = Codr::Hygiene->new($nginx);
my @compiled = grep { -x "/usr/bin/$_->[1]" }
    ([ c => 'gcc' ], [ cpp => 'g++' ], [ rust => 'rustc' ]);

sub job {
    my ($language, $code, %o) = @_;
    my $start = time;
    my $job = $nginx->run_job(language => $language, code => $code,
        timeout => 60, %o);
    $job->{seconds} = time - $start;
    $job->{said} = join "\n", $job->{stdout},
        map { $_ // '' } $job->{error}{message},
        $job->{error}{compile}{output}, $job->{complete}{compile}{output};
    return $job;
}

# Files of the host, by every way a compiler has to read one.  "%s" is the
# path.

my %includes = (
    c    => [
        "#include \"%s\"\nint main(void) { return 0; }\n",
        "__asm__(\".incbin \\\"%s\\\"\");\nint main(void) { return 0; }\n",
        "__asm__(\".include \\\"%s\\\"\");\nint main(void) { return 0; }\n",
        "#define F \"%s\"\n#include F\nint main(void) { return 0; }\n",
        "char x[] = {\n#embed \"%s\"\n};\nint main(void) { return 0; }\n",
        "#pragma GCC dependency \"%s\"\n#include_next \"%s\"\n"
            . "int main(void) { return 0; }\n",
    ],
    rust => [
        "fn main() { println!(\"{}\", include_str!(\"%s\")); }\n",
        "static S: &[u8] = include_bytes!(\"%s\");\n"
            . "fn main() { println!(\"{:?}\", S); }\n",
        "include!(\"%s\");\nfn main() {}\n",
        "#[path = \"%s\"] mod x;\nfn main() {}\n",
    ],
);
$includes{cpp} = [ @{ $includes{c} },
    "#if __has_include(\"%s\")\n#error it is there\n#else\n"
        . "#error it is not\n#endif\nint main() {}\n" ];

my $secret = qr/$CANARY|it is there/;
for my $language (map { $_->[0] } @compiled) {
    my @read;
    for my $file ("$dir/secret.h", '/etc/shadow', '/proc/1/environ',
        "$dir/nginx.conf") {
        for my $source (@{ $includes{$language} }) {
            my $job = job($language, $source =~ s/%s/$file/gr);
            push @read, "$file by $source: $job->{status}"
                if $job->{status} ne 'compile_error'
                || $job->{said} =~ $secret || $job->{said} =~ /root:|daemon:/;
        }
    }
    is(join("\n", @read), '', "$language: no way to include a host's file");
}

# The control: the same compilers outside.
for (@compiled) {
    my ($language, $compiler) = @{$_};
    my %suffix = (c => 'c', cpp => 'cpp', rust => 'rs');
    my @kept;
    for my $source (@{ $includes{$language} }) {
        spew("$dir/control.$suffix{$language}",
            $source =~ s{%s}{$dir/secret.h}gr);
        my $said = `cd $dir && /usr/bin/$compiler control.$suffix{$language} \\
            -o control 2>&1 && cat control`;
        push @kept, $source if $said !~ $secret;
    }
    cmp_ok(scalar @kept, '<', @{ $includes{$language} },
        "$language: outside there are such ways");
}

# What a compiler's own environment tells.
my $job = job('c', "#include \"/proc/self/environ\"\nint main(void) {}\n");
unlike($job->{said}, $secret, 'c: a compiler knows nothing of nginx');
unlike($job->{said}, qr/CODR_|$dir/, 'c: nor where it is');
$job = job('rust', 'fn main() { println!("{:?} {:?}", '
    . 'option_env!("CODR_CANARY"), option_env!("PATH")); }');
SKIP: {
    skip 'needs rustc', 1 if !-x '/usr/bin/rustc';
    is($job->{stdout}, "None Some(\"/usr/local/bin:/usr/bin:/bin\")\r\n",
        'rust: a compiler has the environment of a job');
}
$hygiene->check('files of the host');

# Traps: what a compiler would run or read if a source, or a file beside it,
# could tell it to.

spew("$dir/trap.c", <<'C');
#include <unistd.h>
int plugin_is_GPL_compatible;
int plugin_init(void *a, void *b) { (void) a; (void) b; return 0; }
static void __attribute__((constructor)) spring(void)
{
    (void) !write(2, "sprung\n", 7);
}
C
spew("$dir/trap.rs", <<'RUST');
extern crate proc_macro;
#[proc_macro]
pub fn spring(_: proc_macro::TokenStream) -> proc_macro::TokenStream {
    eprintln!("sprung");
    proc_macro::TokenStream::new()
}
RUST
my $springs_rust = "extern crate trap;\ntrap::spring!();\nfn main() {}\n";
my $empty = "int main(void) { return 0; }\n";
spew("$dir/main.c", $empty);
spew("$dir/main.rs", $springs_rust);
spew("$dir/as", "#!/bin/sh\necho sprung >&2\n");
chmod 0755, "$dir/as";
spew("$dir/args", '-fplugin=./trap.so');
system "cd $dir && gcc -w -shared -fPIC -o trap.so trap.c"
    . ' && cp trap.so libm.so && cp as cc1';
my $has_rust = grep { $_->[0] eq 'rust' } @compiled;
system "cd $dir && /usr/bin/rustc --crate-type proc-macro --crate-name trap"
    . ' -C prefer-dynamic -C strip=symbols trap.rs' if $has_rust;

# The control: the traps work, for who says so where a client cannot.
for my $command ('gcc -fplugin=./trap.so', 'gcc @args', 'gcc -wrapper ./as',
    'COMPILER_PATH=. gcc', 'gcc -B.') {
    like(scalar `cd $dir && $command -o control main.c 2>&1`, qr/sprung/,
        "outside \"$command\" springs the trap");
}
SKIP: {
    skip 'needs rustc', 1 if !$has_rust;
    like(scalar `cd $dir && /usr/bin/rustc -L . -o control main.rs 2>&1`,
        qr/sprung/, 'outside "rustc -L ." springs the trap');
}

sub planted {
    my ($main, $source, @names) = @_;
    return [ { name => $main, content => $source },
        map { { name => $_->[0], encoding => 'base64',
            content => encode_base64(slurp("$dir/$_->[1]"), '') } } @names ];
}

my @beside = ((map { [ $_, 'as' ] } qw(as ld ld.gold cc1 collect2 gcc
    lto-wrapper)), (map { [ $_, 'trap.so' ] } qw(trap.so libtrap.so
    liblto_plugin.so libm.so libc.so crt1.o)), [ 'specs', 'args' ],
    [ 'args', 'args' ]);
my %springs = (
    c => [
        $empty,
        map {"$_\n$empty"} '#pragma GCC optimize("-fplugin=./trap.so")',
        '#pragma GCC optimize("plugin=./trap.so")',
        '#pragma GCC target("fplugin=./trap.so")',
        '#pragma GCC plugin "./trap.so"',
        '#pragma comment(lib, "trap")',
        '#pragma comment(linker, "-plugin ./trap.so")',
        '#pragma GCC pch_preprocess "./trap.so"',
        '__attribute__((optimize("-fplugin=./trap.so"))) int f(void);',
        '__attribute__((target("fplugin=./trap.so"))) int f(void);',
        '@args',
        '-fplugin=./trap.so',
        '__asm__(".section .gnu.lto_.opts,\"e\"\n'
            . '.string \"-fplugin=./trap.so\"");',
        '__asm__(".section .note.GNU-plugin\n.string \"./trap.so\"");',
        'extern int spring; int *f = &spring;',
    ],
    rust => [
        $springs_rust,
        "#![feature(plugin)]\n#![plugin(trap)]\nfn main() {}\n",
        "#![feature(proc_macro_hygiene)]\n$springs_rust",
        "#![crate_type = \"proc-macro\"]\n" . slurp("$dir/trap.rs"),
        "#[link(name = \"trap\")]\nextern \"C\" {}\nfn main() {}\n",
        "#![feature(link_args)]\n#[link_args = \"-L.\"]\n$springs_rust",
    ],
);
$springs{cpp} = $springs{c};
for (@compiled) {
    my ($language) = @{$_};
    my $main = { c => 'main.c', cpp => 'main.cpp', rust => 'main.rs' }
        ->{$language};
    my @files = $language eq 'rust'
        ? map { [ $_, 'libtrap.so' ] } qw(libtrap.so libtrap.rlib libstd.so)
        : @beside;
    my @sprung;
    for my $source (@{ $springs{$language} }) {
        $job = job($language, undef,
            files => planted($main, $source, @files));
        push @sprung, "$source: $job->{status}"
            if $job->{said} =~ /sprung/
            || $job->{status} !~ /^(?:ok|compile_error|error|signaled)$/;
    }
    is(join("\n", @sprung), '', "$language: no trap is sprung");
}
for my $name ('@args', '-fplugin=trap.so', 'a b.c', "a\nb.c", 'a;b.c') {
    $job = job('c', undef, files => [ { name => 'main.c', content => $empty },
        { name => $name, content => '-fplugin=./trap.so' } ]);
    is($job->{status}, 'bad_message', 'c: no file is called as an option is');
}
$hygiene->check('traps');

# What can be had in the compile stage is what can be had in the run stage: the
# probe bench, whose words the compiler makes a program of.

for my $probe (sort keys %PROBES) {
    $job = job('script', <<"SH", tty => JSON::PP::false);
env -u PWD /opt/probe/$probe $PROBES{$probe} > out
gcc -o \$1 -x c - <<'C'
#include <unistd.h>
__asm__(".globl from, to\\nfrom: .incbin \\"out\\"\\nto:");
extern const char from[], to[];
int main(void)
{
    for (const char *p = from; p < to; ) {
        p += write(1, p, (size_t) (to - p));
    }
}
C
SH
    is($job->{status}, 'ok', "a compiler that is $probe")
        or diag($job->{said});
    Codr::Probe::compare($probe =~ s/^probe_//r, 'compile'
        . ($> != 0 ? '-nobody' : cgroups() eq 'v2' ? '-v2' : ''),
        Codr::Probe::answers($job->{stdout}), $outside{$probe});
}
$hygiene->check('the probe bench');

# What is no program, where a program should be.

my %artefacts = (
    'a link to a host\'s file'  => "ln -s $dir/secret.h \$1",
    'a link to /etc/passwd'     => 'ln -s /etc/passwd $1',
    'a link to an environment'  => 'ln -s /proc/self/environ $1',
    'a link to init\'s memory'  => 'ln -s /proc/1/mem $1',
    'a FIFO'                    => 'mkfifo $1',
    'a directory'               => 'mkdir $1',
    'a link to a device'        => 'ln -s /dev/zero $1',
    'a hard link'               => 'echo x > y; ln y $1',
    'a loop of links'           => 'ln -s $1 y; ln -s y $1',
    'a hole of 8 EiB'           => 'truncate -s 8E $1 || echo too large',
    'an unreadable file'        => 'echo x > $1; chmod 0 $1',
    'a box moved away'          => 'echo x > $1; chmod 0 /box',
);
for my $name (sort keys %artefacts) {
    $job = job('script', "$artefacts{$name}\nexit 0");
    is($job->{status}, 'compile_error', "$name is no program")
        or diag(explain($job->{messages}[-1]));
    unlike($job->{said}, qr/$CANARY|root:|PATH=/, "$name is not shown");
    cmp_ok($job->{seconds}, '<', 5 * slow(), "$name does not hold it up");
}
is(slurp("$dir/secret.h"), "#define SECRET $CANARY\n$CANARY\n",
    'the host\'s file is what it was');
is((stat "$dir/secret.h")[2] & 07777, 0644, 'of the same mode');

$job = job('script', <<'END');
ln -sf /etc/passwd main.sh; ln -sf /etc/passwd /tmp/x; touch /dev/shm/mark
/usr/bin/gcc -o $1 -x c - <<'C'
#include <dirent.h>
#include <stdio.h>
int main(void)
{
    const char *const places[] = { "/box", "/tmp", "/dev/shm" };
    for (int i = 0; i < 3; i++) {
        DIR *dir = opendir(places[i]);
        for (struct dirent *e; dir && (e = readdir(dir)); ) {
            if (e->d_name[0] != '.') {
                puts(e->d_type == DT_REG ? e->d_name : "something else");
            }
        }
    }
    puts("end");
}
C
END
is($job->{stdout}, "main.sh\r\nend\r\n",
    'nothing but the program and its source come to the run stage')
    or diag($job->{said});
$hygiene->check('what is no program');

# Bombs.

my $doubling = join '',
    map { my $n = $_ + 1; "#define A$n A$_ A$_ A$_ A$_\n" } 0 .. 15;
my @bombs = (
    [ c => 'a macro bomb', "#define A0 x\n${doubling}int A16;\n" ],
    [ c => 'an exponential include', '', files => [
        { name => 'main.c', content =>
            "#include \"a.h\"\nint main(void) { return 0; }\n" },
        { name => 'a.h', content => "#if __INCLUDE_LEVEL__ < 150\n"
            . "#include \"a.h\"\n#include \"a.h\"\n#endif\n" } ] ],
    [ cpp => 'a template bomb', "template<int N, int M> struct T {\n"
        . "enum { v = T<N - 1, M * 2>::v + T<N - 1, M * 2 + 1>::v }; };\n"
        . "template<int M> struct T<0, M> { enum { v = M }; };\n"
        . "int main() { return T<30, 0>::v; }\n" ],
    [ c => 'a program of 1 TiB',
        "__asm__(\".data\\n.fill 1099511627776\");\nint main(void) {}\n" ],
    [ rust => 'a macro bomb', "macro_rules! m {\n"
        . "(\$(\$t:tt)*) => { m!(\$(\$t \$t)*) } }\n"
        . "fn main() { m!(x); }\n" ],
    [ rust => 'endless constants',
        "const fn f(n: u64) -> u64 { let mut i = 0; while i < n { i += 1; }\n"
        . "i }\nconst X: u64 = f(1 << 60);\n"
        . "fn main() { println!(\"{}\", X) }" ],
    [ rust => 'endless traits', "struct S<T>(T);\ntrait A { fn a(); }\n"
        . "impl<T> A for T where S<T>: A { fn a() {} }\n"
        . "fn main() { <u8 as A>::a() }" ],
    [ cpp => 'endless constants', "constexpr unsigned long f(unsigned long n)"
        . " { unsigned long i = 0; while (i < n) i++; return i; }\n"
        . "static_assert(f(1ul << 60), \"\");\nint main() {}\n" ],
);
for (@bombs) {
    my ($language, $name, $code, %o) = @{$_};
    SKIP: {
        skip "$language: $name: no compiler", 1
            if !grep { $_->[0] eq $language } @compiled;
        $job = job($language, $code, $code eq '' ? (code => undef) : (), %o);
        like($job->{status}, qr/^compile_(?:limit|error)$/,
            "$language: $name ends the compiler")
            or diag(explain($job->{messages}[-1]));
        cmp_ok($job->{seconds}, '<', 10 * slow(), "$language: $name in time");
    }
}
$hygiene->check('bombs');

# Words without end.

$job = job('c', "x;\n" x 2000 . 'y' x 4000 . "\n");
is($job->{status}, 'compile_error', 'many errors')
    or diag(substr $job->{said}, 0, 200);
cmp_ok(length($job->{error}{message}), '<=', 1 << 20, 'are cut');
$job = job('script', 'yes "$(printf %1000s x)" | tr -d "\n"');
like($job->{status}, qr/^compile_(?:limit|error)$/, 'one line without an end')
    or diag($job->{status});
cmp_ok(length($job->{error}{message} // ''), '<=', 1 << 20, 'is cut');
$job = job('script', '(trap "" 1 2 3 15; while :; do sleep 9; done) & '
    . 'setsid sh -c "sleep 99" & echo then; exit 1');
is($job->{status}, 'compile_error', 'a compiler that leaves children');
$hygiene->check('words');

$hygiene->finish;
$nginx->finish;
done_testing();
