# The compile stage is as confined as the run stage: no compiled language can
# read the host, leave something for the run stage, hand over something that is
# no program, or cost more than its limits.

use strict;
use warnings;

use Codr::Host qw(need slow slurp spew);
use Codr::Hygiene;
use Codr::Nginx;
use Test::More;
use Time::HiRes qw(time);

need(qw(module helper /usr/bin/gcc /usr/bin/g++));

my $dir = Codr::Nginx::dir();
my $CANARY = "canary_$$";
spew("$dir/secret.h", "#define SECRET $CANARY\n$CANARY\n");
chmod 0644, "$dir/secret.h";
local $ENV{CODR_CANARY} = $CANARY;

my $nginx = Codr::Nginx->new(dir => $dir,
    location => 'codr_compile_timeout 8s; codr_compile_memory 512m;',
    server => Codr::Hygiene::location(), http => <<'END');
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
