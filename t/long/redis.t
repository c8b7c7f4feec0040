# What a Redis can do to a node by the way it answers: one reply after the
# other, each late, or replies that are nothing but what they are made of.

use strict;
use warnings;

use Codr::Client;
use Codr::Host qw(need slurp wait_until);
use Codr::Nginx;
use Codr::Redis;
use File::Temp qw(tempdir);
use Test::More;
use Time::HiRes qw(time);

need(qw(module helper));

my $sh = 'codr_language sh { source main.sh; run /bin/sh $source; }';

sub node {
    my ($redis, $more) = @_;
    my $node = Codr::Nginx->new(languages => 0,
        http => "codr_redis $redis $more; $sh");
    ok($node->ready(15, sub { ($_[0]{json}{helper} // '') eq 'up' }),
        'the helper is up');
    return $node;
}

# How many commands there are in it; those of a node have no such lines else.
sub commands {
    my ($bytes) = @_;
    return scalar(() = $bytes =~ /^\*\d+\r$/mg);
}

# Answers each command, one after the other, a pause apart.
sub slow {
    my ($pause) = @_;
    my (%left, %at);
    return sub {
        my ($s, $bytes) = @_;
        if (defined $bytes) {
            $at{$s} = time + $pause if !$left{$s};
            $left{$s} += commands($bytes);
        }
        if ($left{$s} && time >= $at{$s}) {
            syswrite $s, "+OK\r\n";
            $left{$s}--;
            $at{$s} = time + $pause;
        }
        return $left{$s} ? $at{$s} : undef;
    };
}

# Requests at once; how long each took, and what was said.
sub at_once {
    my ($node, $count) = @_;
    my $body = Codr::Client::encode({ language => 'sh', code => 'echo on' });
    my @clients = map {
        my $client = Codr::Client->connect(port => $node->port);
        $client->send_request(method => 'POST', path => '/run',
            body => $body, headers => ['Content-Type: application/json']);
        $client;
    } 1 .. $count;
    return map { $_->answer(60) } @clients;
}

subtest 'each answer is late' => sub {
    my $quick = Codr::Redis->fake_later(slow(0.01));
    my $node = node($quick->address, 'required');
    ok($node->wait_log(qr/codr: Redis is up/), 'a quick one is up');
    my @answers = at_once($node, 8);
    is(join(' ', map { $_->{status} } @answers), '200 ' x 7 . '200',
        'it knows of all jobs');
    $node->finish;

    my $slow = Codr::Redis->fake_later(slow(1.5));
    $node = node($slow->address, 'required');
    ok($node->wait_log(qr/codr: Redis is up/), 'a slow one is, too');
    @answers = at_once($node, 8);
    my ($longest) = sort { $b <=> $a } map { $_->{seconds} } @answers;
    cmp_ok($longest, '<', 12, 'nobody waits for all who came before');
    is(scalar(grep { $_->{status} != 200 && $_->{status} != 503 } @answers),
        0, 'they run, or are told');
    ok($node->wait_log(qr/Redis cannot be used: it does not answer/),
        'the log says it');
    $node->finish;
};

# On the second connection, the one for messages, nothing is answered, and
# messages have no end.  Each connection is a line of the file.
sub flood {
    my ($lines) = @_;
    my $message = "*3\r\n\$7\r\nmessage\r\n\$1\r\nx\r\n\$1\r\ny\r\n" x 1000;
    my %number;
    return sub {
        my ($s, $bytes) = @_;
        if (!$number{$s}) {
            $number{$s} = 1 + keys %number;
            open my $out, '>>', $lines or die "$lines: $!";
            print {$out} "$number{$s}\n";
        }
        if ($number{$s} == 2) {
            return syswrite($s, $message) ? time : 'close';
        }
        syswrite $s, "+OK\r\n" x commands($bytes);
        return;
    };
}

subtest 'messages without end instead of an answer' => sub {
    my $dir = tempdir(CLEANUP => 1);
    my $fake = Codr::Redis->fake_later(flood("$dir/lines"));
    my $node = node($fake->address, 'db=1');
    ok($node->wait_log(qr/codr: Redis is up/), 'commands are answered');
    ok(wait_until(30, sub { (() = slurp("$dir/lines") =~ /\n/g) > 2 }),
        'the connection is given up, and made again');
    $node->finish;
};

# Commands are answered, whoever asks to hear something is not; each
# connection that asks for that is a line of the file.
sub mute {
    my ($lines) = @_;
    my %mute;
    return sub {
        my ($s, $bytes) = @_;
        if (!$mute{$s} && $bytes =~ /SUBSCRIBE/) {
            $mute{$s} = 1;
            open my $out, '>>', $lines or die "$lines: $!";
            print {$out} "one\n";
        }
        syswrite $s, "+OK\r\n" x commands($bytes) if !$mute{$s};
        return;
    };
}

my $DEAF = qr/codr: Redis takes no subscription: ([^\n;]*)/;

subtest 'a subscription that is not confirmed' => sub {
    my $dir = tempdir(CLEANUP => 1);
    my $fake = Codr::Redis->fake_later(mute("$dir/lines"));
    my $node = node($fake->address, '');
    ok($node->wait_log($DEAF), 'is noticed');
    like($node->log, qr/$DEAF.*\n/, 'and said');
    is(($node->log =~ $DEAF)[0], 'it does not answer', 'with its cause');
    ok(wait_until(30, sub { (() = slurp("$dir/lines") =~ /\n/g) > 3 }),
        'it is asked for again');
    is(scalar(() = $node->log =~ /$DEAF/g), 1, 'and said once');
    my ($answer) = at_once($node, 1);
    is($answer->{json}{stdout}, "on\n", 'jobs run');
    $node->finish;
};

subtest 'a subscription that is refused, for a while' => sub {
    my $redis = Codr::Redis->new('user default on nopass ~* &* +@all'
        . ' -subscribe -psubscribe');
    my $node = node($redis->address, '');
    ok($node->wait_log($DEAF), 'is said');
    like(($node->log =~ $DEAF)[0], qr/^NOPERM /, 'in words of Redis');
    $redis->ask(qw(ACL SETUSER default +@all));
    ok($node->wait_log(qr/codr: Redis takes subscriptions again/), 'its end');
    is($redis->ask(qw(PUBSUB NUMPAT)), 1, 'and is so');
    $node->finish;
};

# Most a process has had in memory, in KB.
sub peak { return slurp("/proc/$_[0]/status") =~ /^VmHWM:\s+(\d+)/m ? $1 : 0 }

subtest 'arrays of arrays' => sub {
    my $arrays = "*1000\r\n" . ("*1000\r\n" . ":1\r\n" x 1000) x 1000;
    my $fake = Codr::Redis->fake(sub {$arrays});
    my $node = node($fake->address, '');
    my ($worker) = $node->workers;
    ok($node->wait_log(qr/Redis cannot be used/), 'are refused');
    my $size = length $arrays;
    cmp_ok($size, '<', 8 << 20, "though they are only $size bytes");
    cmp_ok(peak($worker), '<', 40_000, 'and cost no memory');
    my ($answer) = at_once($node, 1);
    is($answer->{json}{stdout}, "on\n", 'jobs run');
    $node->finish;
};

done_testing();
