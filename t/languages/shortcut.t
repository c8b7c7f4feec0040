# codr-shortcut makes what gcc and g++ make, byte for byte, and where it does
# not, says what they say.

use strict;
use warnings;

use Codr::Host qw(build need slurp spew wait_until);
use Codr::Nginx;
use File::Temp qw(tempdir);
use Test::More;

need(qw(module helper /usr/bin/gcc /usr/bin/g++));

my %C = (
    hello => "#include <stdio.h>\nint main(void){puts(\"hello\");return 0;}\n",
    assert => "#include <assert.h>\nint main(int c,char**v){(void)v;"
        . "assert(c == 7);return 0;}\n",
    place => "#include <stdio.h>\nint main(void){\n"
        . "printf(\"%s %d %s\\n\",__FILE__,__LINE__,__func__);return 3;}\n",
    threads => "#include <pthread.h>\n#include <stdio.h>\nstatic void *f(void"
        . " *p){return p;}\nint main(void){pthread_t t;void *r;\n"
        . "pthread_create(&t,0,f,\"x\");pthread_join(t,&r);puts(r);}\n",
    broken => "int main(void){return y;}\n",
    warning => "#warning look\nint main(void){return 0;}\n",
    unlinked => "int f(void);int main(void){return f();}\n",
    gets => "#include <stdio.h>\nchar *gets(char *);int main(void)"
        . "{char b[9];return !gets(b);}\n",
);
my %CPP = (
    hello => "#include <iostream>\nint main(){std::cout<<\"hello\\n\";}\n",
    order => "// x\n#include <vector>\n#include <iostream>\nstruct A{A(){"
        . "std::cout<<\"static \"<<__FILE__<<__LINE__<<\"\\n\";}};\nA a;"
        . "int main(){std::vector<int> v{1,2};std::cout<<v.size();}\n",
    catch => "#include <iostream>\n#include <stdexcept>\n#include <string>\n"
        . "int main(){try{throw std::runtime_error(\"e\");}catch(std::exception"
        . " &e){std::cout<<e.what();}throw 1;}\n",
    threads => "#include <iostream>\n#include <thread>\nint main(){std::thread"
        . " t([]{std::cout<<\"in\\n\";});t.join();}\n",
    all => "#include <bits/stdc++.h>\nusing namespace std;int main(){map<int,"
        . "string> m;m[1]=\"a\";cout<<m[1];regex r(\"a\");}\n",
    missing => "#include <iostream>\nint main(){std::map<int,int> m;}\n",
    template => "#include <iostream>\n#include <list>\n#include <algorithm>\n"
        . "int main(){std::list<int> l;std::sort(l.begin(),l.end());}\n",
    unused => "#include <iostream>\n#warning look\nint main(){}\n",
);

# The program itself: the same file with and without it.

my $shortcut = build() . '/codr-shortcut';
my $dir = tempdir(CLEANUP => 1);
chdir $dir or die "chdir: $!";
$ENV{LANG} = 'C.UTF-8';

sub make {
    my ($mode, $into, @command) = @_;
    open my $keep, '>&', \*STDERR or die;
    open STDERR, '>', "$into.words" or die;
    my $status = system $mode ? ($shortcut, $mode) : (), @command, '-o', $into;
    open STDERR, '>&', $keep or die;
    return $status . slurp($into) . slurp("$into.words") =~ s/$into//gr
        =~ s{/tmp/cc\w+}{}gr;
}

my @gcc = qw(/usr/bin/gcc -std=c11 -O1 -fuse-ld=gold main.c -lm);
is(system($shortcut, 'learn', @gcc, qw(-o fast)), 0, 'steps are learnt');
rename '.program', 'steps';
for my $name (sort keys %C) {
    spew('main.c', $C{$name});
    open my $steps, '<', 'steps' or die;
    my $slow = make('', 'slow', @gcc);
    ok(make('plain', 'fast', @gcc) eq $slow, "c: $name");
    ok(with('known', $steps, 'fast', @gcc) eq $slow, '... by known steps');
}
spew('a.c', 'int f(void){return 4;}');
spew('main.c', $C{unlinked});
my @two = qw(/usr/bin/gcc -std=c11 -O1 main.c a.c);
ok(make('plain', 'fast', @two) eq make('', 'slow', @two),
    'two files, another linker');

my @gpp = qw(/usr/bin/g++ -std=c++17 -O1 -fuse-ld=gold main.cpp);
spew('main.cpp', "#include <iostream>\n");
is(system($shortcut, 'precompile', @gpp, qw(-o x)), 0, 'headers are made');
rename '.program', 'iostream.gch';
for my $name (sort keys %CPP) {
    next if $name eq 'all';
    spew('main.cpp', $CPP{$name});
    unlink '.headers.gch';
    open my $headers, '<', 'iostream.gch' or die;
    ok(with('headers', $headers, 'fast', @gpp) eq make('', 'slow', @gpp),
        "c++: $name");
}

# As make(), with something as descriptor 3.
sub with {
    my ($mode, $given, $into, @command) = @_;
    my $fd = fileno $given;
    return make('', $into, 'bash', '-c', "exec $shortcut $mode \"\$\@\""
            . " 3</proc/$$/fd/$fd", 'bash', @command);
}

# The control: headers that do change something are used.
spew('main.cpp', "#include <iostream>\n#define MARK 1\n");
is(system($shortcut, 'precompile', @gpp, qw(-o x)), 0, 'with a mark');
spew('main.cpp', "#include <iostream>\nint main(){\n#ifdef MARK\n"
    . "std::cout<<\"marked\";\n#endif\n}\n");
unlink '.headers.gch';
open my $marked, '<', '.program' or die;
with('headers', $marked, 'fast', @gpp);
is(`./fast`, 'marked', 'control: what is given is what is used');
unlink '.headers.gch';
spew('junk', 'junk');
open my $junk, '<', 'junk' or die;
ok(with($_, $junk, 'fast', @gpp) eq make('', 'slow', @gpp),
    "junk instead changes nothing ($_)") for qw(headers known);

# Over the socket: the same languages with and without it.

my $conf = slurp(Codr::Host::top() . '/conf/languages.conf');
my $plain = join '', map {
    my ($block) = $conf =~ /^(codr_language $_ \{.*?^\})/ms;
    $block =~ s/(codr_language \w+)/$1_plain/;
    $block =~ s/^\s*(?:shortcut|precompile|alias)\s[^;]*;//mgr;
} qw(c cpp);
my $nginx = Codr::Nginx->new(http => $plain,
    location => 'codr_compile_timeout 120s;');
ok($nginx->ready, 'the server is ready');

sub told {
    my ($language, $code) = @_;
    my $job = $nginx->run_job(language => $language, code => $code,
        stdin => '', timeout => 150);
    my $end = $job->{complete} // $job->{error};
    return join("\n", $job->{status}, $job->{stdout}, $job->{stderr},
        map { $_ // '-' } @{$end}{qw(exit_code signal message)},
        $end->{compile}{output}) =~ s/\bcc\w{6}\.o\b/(object)/gr;
}

is(told('c', $C{$_}), told('c_plain', $C{$_}), "c: $_") for sort keys %C;
for my $header (qw(iostream bits/stdc++.h)) {
    ok($nginx->ready(60, sub {
        told('cpp', "#include <$header>\nint main(){}\n//" . rand);
        return $nginx->log =~ /"\Q$header\E" precompiled/;
    }), "$header is precompiled");
}
is(told('cpp', $CPP{$_}), told('cpp_plain', $CPP{$_}), "c++: $_")
    for sort keys %CPP;
unlike($nginx->log, qr/could not be precompiled|codr-shortcut:/,
    'nothing went wrong');

$nginx->finish;

done_testing();
