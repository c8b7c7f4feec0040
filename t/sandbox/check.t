# codr-sandboxd --check, the operator's doctor: what it says is so, with
# hosts that lack something as the control.

use strict;
use warnings;

use Codr::Host qw(build need slurp);
use Codr::Nginx;
use JSON::PP qw(decode_json);
use Test::More;

need(qw(helper));

my $helper = build() . '/codr-sandboxd';

# The exit status and the answer of a command line that ends in "--check".
sub check {
    my ($command) = @_;
    my $text = `$command --check --json 2>/dev/null`;
    my $status = $? >> 8;
    my $answer = eval { decode_json($text) } // {};
    $answer->{by_name} = { map { $_->{name} => $_ }
        @{ $answer->{layers} // [] }, @{ $answer->{host} // [] } };
    return ($status, $answer);
}

sub state_of { return $_[0]{by_name}{ $_[1] }{state} // 'none' }

# This host.

my ($status, $answer) = check($helper);
my @missing = grep { $_->{state} eq 'missing' } @{ $answer->{layers} };
is($status, @missing ? 1 : 0, 'the status says whether a layer is missing');
is($answer->{passed} ? 0 : 1, $status, 'as the answer does');
is(scalar(grep { !$_->{name} || !$_->{meaning}
        || $_->{state} !~ /^(?:ok|missing|waived|absent|warning)$/ }
    @{ $answer->{layers} }, @{ $answer->{host} }), 0,
    'each line has a name, a state and a meaning');
is(scalar(grep { $_->{state} ne 'ok' && !$_->{advice} }
    @{ $answer->{layers} }, @{ $answer->{host} }), 0,
    'what is not as it should be has an advice');

my $text = `$helper --check`;
is($? >> 8, $status, 'text for people has the same status');
is(join(' ', grep { $text !~ /^\w+ +\Q$_->{name}\E +\Q$_->{meaning}\E/m }
    @{ $answer->{layers} }, @{ $answer->{host} }), '', 'and the same lines');

# A running server says the same of the layers.

SKIP: {
    skip 'needs root', 1 if $> != 0 || !-x Codr::Host::nginx();
    my $nginx = Codr::Nginx->new(languages => 0,
        http => 'codr_language sh { source main.sh; run /bin/sh $source; }',
        allow => join(' ', map { $_->{name} } @missing));
    my $health = ($nginx->ready // {})->{json} // {};
    my %said = %{ $health->{layers} // {} };
    is_deeply(\%said, { map { $_->{name} =>
        $_->{state} eq 'missing' ? 'waived' : $_->{state} }
        @{ $answer->{layers} } }, 'health names the same layers and states');
    $nginx->finish;
}

# Hosts that lack something: each beside what it looks like here.

SKIP: {
    skip 'needs root', 1 if $> != 0;

    my $dir = Codr::Nginx::dir();
    system('cp', $helper, "$dir/codr-sandboxd") == 0 or die;
    ($status, my $alone) = check("$dir/codr-sandboxd");
    is(join(' ', map { state_of($alone, $_) }
        qw(validator policies shortcut python_zygote node_zygote)),
        join(' ', ('warning') x 5), 'files that are not installed are missed');
    is(join(' ', map { state_of($answer, $_) }
        qw(validator policies shortcut)),
        join(' ', ('ok') x 3), 'those that are, are found');
    is($status, @missing ? 1 : 0, 'which is no reason to run nothing');
    chmod 0777, "$dir/codr-sandboxd";
    (undef, my $open) = check("$dir/codr-sandboxd");
    is(state_of($open, 'helper'), 'warning',
        'a helper that others may write is seen');
    is(state_of($alone, 'helper'), 'ok', 'and only that');

    (undef, my $few) = check("ulimit -n 1000; $helper");
    is(state_of($few, 'descriptors'), 'warning', 'few descriptors are seen');

    # Root of a user namespace in which no other one may be made.
    my $within = "unshare -Ur sh -c 'echo 0 >/proc/sys/user/"
        . "max_user_namespaces && exec \"\$0\" \"\$@\"' $helper";
    my ($poor, $less) = check($within);
    is($poor, 1, 'where required layers are missing the status says so');
    ok(!$less->{passed}, 'and the answer');
    is(state_of($less, 'uids'), 'missing',
        'a namespace without uids of others has none for jobs');
    is(state_of($less, 'seccomp'), state_of($answer, 'seccomp'),
        'what is there is still found');

    my ($nobody, $plain) = check("setpriv --reuid nobody --regid nogroup "
        . "--clear-groups $helper");
    is($plain->{unprivileged} ? 1 : 0, 1, 'without root it says so');
    is(join(' ', map { state_of($plain, $_) } qw(uids cgroup)),
        'waived waived', 'and what is not enforced then');
}

done_testing();
