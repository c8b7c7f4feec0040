# codr_compile_cache: what is kept, for whom, for how long, and that no job can
# change it.

use strict;
use warnings;

use Codr::Host qw(need slurp spew wait_until);
use Codr::Nginx;
use IPC::Open2;
use Test::More;

need(qw(module helper /usr/bin/gcc));

# What the host's package manager does meanwhile would empty the cache under
# test: a world of its own, where a test can do the same.
if ($> == 0 && !$ENV{CODR_CACHE_ALONE}) {
    local $ENV{CODR_CACHE_ALONE} = 1;
    my $inside = 'for d in /var/lib/dpkg /usr/local/lib; do'
        . ' mount -t tmpfs none $d || exit; done; exec "$@"';
    exec qw(unshare --mount /bin/sh -c), $inside, 'sh', $^X,
        (map {"-I$_"} @INC), $0
        if system("unshare --mount true 2>/dev/null") == 0;
}

# A "compiler" whose programs all differ, so that their output tells whether
# two jobs had the same one.  It takes its time, for others to come meanwhile.
my $unique = <<'END';
codr_language unique {
    source main.txt;
    compile /bin/sh -c "id=$(cat /proc/sys/kernel/random/uuid);
        case $(cat main.txt) in slow*) sleep 0.5;; esac;
        printf '#include <stdio.h>\nint main(){puts(\"%s\");}' $id |
        gcc -x c -o $0 - && case $(cat main.txt) in
        words*) echo a word;; *bad) echo $id; exit 1;; esac" $program;
    run $program;
}
END

sub config {
    return (http => "codr_owner \$http_x_owner; $_[0]\n$unique",
        server => 'location = /metrics { codr_status prometheus; }',
        location => 'codr_compile_timeout 60s; ' . ($_[1] // ''));
}

my $nginx = Codr::Nginx->new(config('codr_compile_cache 256m;'));
ok($nginx->ready, 'the server is ready');

sub job {
    my ($owner, $code, %o) = @_;
    return $nginx->run_job(language => 'unique', code => $code, tty => \0,
        headers => ["X-Owner: $owner"], timeout => 90, %o);
}

sub cached {
    my ($job) = @_;
    return $job->{complete}{compile}{cached} ? 1 : 0;
}

# A hit and a miss.

my $first = job('ann', 'words 1');
is($first->{status}, 'ok', 'a job is compiled');
ok(!cached($first), '... and says so');
is("@{ $first->{stages} }", 'compile run', '... in two stages');

my $second = job('ann', 'words 1');
ok(cached($second), 'the same again is not');
is($second->{stdout}, $first->{stdout}, '... it is the same program');
is("@{ $second->{stages} }", 'run', '... in one stage');
my ($stage) = grep { $_->{type} eq 'stage' } @{ $second->{messages} };
ok($stage->{cached}, '... which says why');
my $compile = $second->{complete}{compile};
is($compile->{output}, "a word\n", 'the words of the compiler are kept');
is($compile->{cpu_time} + $compile->{wall_time}, 0, 'nothing was used');
is($compile->{memory_peak}, undef, '... which has no peak');

for my $other ([ 'another source', job('ann', 'words 2') ],
    [ 'another file name', job('ann', undef, files =>
        [ { name => 'x.txt', content => 'words 1' },
          { name => 'main.txt', content => '' } ]) ],
    [ 'another owner', job('bob', 'words 1') ])
{
    my ($name, $job) = @{$other};
    ok(!cached($job), "$name is compiled");
    isnt($job->{stdout}, $first->{stdout}, '... and another program');
}

for my $word ('__DATE__', '__TIME__', 'option_env ! ("A")', 'env!("A")',
    'include_bytes!("/a")', '#include "/proc/version"')
{
    job('ann', "words $word");
    ok(!cached(job('ann', "words $word")), "\"$word\" is compiled each time");
}
my $kept = job('ann', 'words environ != env != 1') && job('ann',
    'words environ != env != 1');
ok(cached($kept), '... and what only looks like it is not');

is($nginx->post('/run', { language => 'unique', code => 'words 1' },
        headers => ['X-Owner: ann'])->{json}{compile}{cached}, 1,
    'over HTTP it is the same');

sub total {
    my ($what) = @_;
    my $text = $nginx->get('/metrics')->{body} // '';
    return $text =~ /^codr_compile_cache_${what}_total (\d+)/m ? $1 : 0;
}
ok(wait_until(10, sub { total('hits') >= 3 && total('misses') >= 4 }),
    'hits and misses are counted') or diag total('hits'), ' ', total('misses');

# At the same time.

my @crowd = map { $nginx->ws(headers => ['X-Owner: ann']) } 1 .. 6;
$_->execute(language => 'unique', code => 'slow crowd', tty => \0) for @crowd;
my @ends = map { $_->finish(90) } @crowd;
my %programs = map { $_->{stdout} => 1 } @ends;
is(scalar keys %programs, 1, 'six equal jobs at once: one program');
is(scalar(grep { !cached($_) } @ends), 1, '... compiled by one of them');

@crowd = map { $nginx->ws(headers => ['X-Owner: ann']) } 1 .. 3;
$_->execute(language => 'unique', code => 'slow leaver', tty => \0) for @crowd;
$crowd[0]->wait_for('started', 60);
shift(@crowd)->drop;
@ends = map { $_->finish(90) } @crowd;
is(scalar(grep { $_->{status} eq 'ok' } @ends), 2,
    'the one that compiles goes away: the others do without');

@crowd = map { $nginx->ws(headers => ['X-Owner: ann']) } 1 .. 4;
$_->execute(language => 'unique', code => 'slow bad', tty => \0) for @crowd;
@ends = map { $_->finish(90) } @crowd;
is(scalar(grep { $_->{status} eq 'compile_error' } @ends), 4,
    'one that does not compile: none does');
%programs = map { $_->{error}{compile}{output} => 1 } @ends;
is(scalar keys %programs, 4, '... and errors are nobody else\'s');

# What a job can do to it.

my $attack = slurp('t/module/cache_attack.c');
my %at = (language => 'c', code => $attack, headers => ['X-Owner: ann']);
my ($one, $two) = map { $nginx->run_job(%at, tty => \0) } 1, 2;
ok(cached($two), 'a program that attacks its own file is a hit');
is($two->{status}, 'ok', '... and still runs') or diag $two->{stderr};
unlike($two->{stdout}, qr/^written/m, '... and is not written to');
my ($inode, $another) = map { $_->{stdout} =~ /^inode (\d+)/m } $one, $two;
ok($inode && $another && $inode != $another, 'each job has a file of its own');

my ($holder, $other) = map { $nginx->ws(headers => ['X-Owner: ann']) } 1, 2;
for ($holder, $other) {
    $_->execute(%at, args => ['lock']);
    ok($_->expect(qr/locked/), 'a lock on it is not another job\'s');
}
$_->drop for $holder, $other;

# The control: the same on a file that is really shared, and its owner's.
spew("$nginx->{dir}/attack.c", $attack);
system('gcc', '-o', "$nginx->{dir}/attack", "$nginx->{dir}/attack.c") == 0
    or die 'gcc';
like(`$nginx->{dir}/attack write $nginx->{dir}/copy`, qr/^written/m,
    'control: an ordinary file is written to');
my $lock = open2(my $out, my $in, "$nginx->{dir}/attack", 'lock');
like(scalar <$out>, qr/locked/, 'control: one process has the lock');
unlike(`$nginx->{dir}/attack lock </dev/null`, qr/locked/,
    'control: another does not get it');
close $in;
waitpid $lock, 0;

# How long it is kept.

sub hits {
    my ($name, %want) = @_;
    my %have = map { $_ => cached(job('ann', $_)) } sort keys %want;
    is_deeply(\%have, \%want, $name);
}

$nginx->reload;
hits('a reload keeps it', 'words 1' => 1);
$nginx->reload(config('codr_compile_cache 60k;'));
job('ann', '3');
hits('three fit', 1 => 0, 2 => 0, 3 => 1);
job('ann', '1');
hits('the one that was used longest ago leaves first', 4 => 0, 1 => 1, 3 => 1);
hits('... and it is 2', 2 => 0);
$nginx->reload(config('codr_compile_cache 4k;'));
job('ann', '1');
hits('what is larger than the cache is not kept', 1 => 0);
$nginx->reload(config('codr_compile_cache off;'));
job('ann', '5');
hits('without a cache there are no hits', 5 => 0);
$nginx->reload(config('codr_compile_cache 1m shared;'));
job('ann', '5');
ok(cached(job('bob', '5')), 'a shared cache is everybody\'s');
$nginx->reload(config('codr_compile_cache 1m;'));
ok(!cached(job('bob', '5')), '... and only while it is');
$nginx->reload(config('codr_compile_cache 1m;', 'codr_disk 8k;'));
isnt(job('bob', '5')->{status}, 'ok',
    'a program beyond the own limits is not for this job');

SKIP: {
    skip 'needs a mount namespace of its own', 1 unless $ENV{CODR_CACHE_ALONE};
    $nginx->reload(config('codr_compile_cache 1m;'));
    job('ann', '6');
    spew('/var/lib/dpkg/status', 'another version');
    ok(wait_until(20, sub { !cached(job('ann', '6')) }),
        'what the package manager changes is noticed');
}

$nginx->finish;

done_testing();
