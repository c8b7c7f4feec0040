# What fuzzing found worth keeping is given to every target again, each built
# as codr is: the parsers survive it, and what always holds still does.

use strict;
use warnings;

use Codr::Host qw(build need slow spew top);
use Codr::Nginx;
use Test::More;

need(qw(module helper));

my $built = build() . '/t/fuzz';
my $corpora = top() . '/t/fuzz/corpus';
my $seconds = int(20 * slow());

sub files {
    my ($dir) = @_;
    return grep { -f } glob "$dir/*";
}

# The names of the files a target survived, and what it said besides.
sub replay {
    my ($environment, @command) = @_;
    local %ENV = (%ENV, %{$environment});
    open my $out, '-|', 'sh', '-c', 'exec "$@" 2>&1', 'sh', 'timeout',
        $seconds, @command or die "fork: $!";
    my (@survived, @said);
    while (my $line = <$out>) {
        if ($line =~ /^survived (.+)$/) { push @survived, $1 }
        else                            { push @said, $line }
    }
    close $out;
    return (\@survived, join '', @said);
}

sub all_survive {
    my ($name, $dir, $environment, @command) = @_;
    my @files = files($dir);
    my ($survived, $said) = replay($environment, @command);
    is($?, 0, "$name: its target ends well") or diag($said);
    is(scalar @{$survived}, scalar @files, "$name: survives its corpus")
        or diag('after ' . ($survived->[-1] // 'none') . ": $said");
}

# A configuration that is only tested, by the nginx codr's module is for.
sub nginx_command {
    my ($module, $corpus) = @_;
    my $dir = Codr::Nginx::dir();
    spew("$dir/nginx.conf", "load_module $module;\nerror_log stderr;\n"
        . "pid $dir/pid;\ncodr_replay $corpus;\nevents {}\n");
    return (Codr::Host::nginx(), '-t', '-p', "$dir/", '-c',
        "$dir/nginx.conf");
}

my @targets = grep { !/\.d$/ && m{/([a-z]+)(\.so)?$} } files($built);
cmp_ok(scalar @targets, '>', 0, 'targets are built');

for my $target (@targets) {
    my ($name, $loaded) = $target =~ m{([a-z]+)(\.so)?$};
    my $corpus = "$corpora/$name";
    next if $name eq 'check';
    cmp_ok(scalar(files($corpus)), '>', 0, "$name: has a corpus");
    all_survive($name, $corpus, {},
        $loaded ? nginx_command($target, $corpus) : ($target, $corpus));
}

SKIP: {
    skip 'the nginx of a sanitizer build has the module in it', 1
        if $ENV{CODR_SANITIZER};
    ok((grep {/\.so$/} @targets), 'some of them in nginx');
}

# One target, a corpus a language.
for my $corpus (glob "$corpora/check.*") {
    my ($language) = $corpus =~ /check\.(\w+)$/;
    all_survive("check.$language", $corpus,
        { CODR_LANGUAGE => $language, CODR_POLICIES => build() . '/policies' },
        "$built/check", $corpus);
}

done_testing();
