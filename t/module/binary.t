# The subprotocol codr.v1.bin: control is JSON, program bytes travel as they
# are, in binary messages whose first byte is the stream.

use strict;
use warnings;

use Codr::Client;
use Codr::Follow;
use Codr::Host qw(need);
use Codr::Nginx;
use Digest::SHA qw(sha256_hex);
use JSON::PP ();
use Test::More;
use Time::HiRes qw(sleep);

need(qw(module helper /usr/bin/python3));

my ($true, $false) = (JSON::PP::true, JSON::PP::false);
my %bin = (protocols => ['codr.v1.bin']);
my $nginx = Codr::Nginx->new(server =>
    'location = /much { codr_exec; codr_output 64m; codr_timeout 60s; }');
$nginx->ready;

# A whole job: { text => [ stdout, stderr ], end, notices }.
sub finish {
    my ($ws, $timeout) = @_;
    my %got = (text => [ '', '' ], notices => []);
    for (;;) {
        my $m = $ws->recv($timeout // 30);
        if ($m->{type} eq '(binary)') {
            my ($stream, $bytes) = unpack 'Ca*', $m->{data};
            die "stream $stream" if $stream != 1 && $stream != 2;
            $got{text}[ $stream - 1 ] .= $bytes;
        } elsif ($m->{type} eq 'notice') {
            push @{ $got{notices} }, $m->{code};
        } elsif ($m->{type} !~ /^(?:queued|started|stage)$/) {
            return { %got, end => $m, status => $m->{status} // $m->{code}
                // $m->{type} };
        }
    }
}

sub run_job {
    my ($ws, %message) = @_;
    $ws->send(type => 'execute', language => 'python', tty => $false,
        %message);
    return finish($ws);
}

sub input { return $_[0]->send_frame(chr($_[2] // 0) . $_[1], op => 2) }


subtest 'which one it is' => sub {
    for (
        [ 'codr.v1', 'codr.v1' ], [ 'codr.v1.bin', 'codr.v1.bin' ],
        [ 'codr.v1', 'codr.v1', 'codr.v1.bin' ],
        [ 'codr.v1.bin', 'codr.v1.bin', 'codr.v1' ],
        [ 'codr.v1.bin', 'x', 'codr.v1.bin', 'codr.key.eA' ],
        [ undef, 'codr.v1.binary' ],
    ) {
        my ($echo, @offered) = @{$_};
        my $ws = $nginx->ws(protocols => \@offered);
        is($ws->{headers}{'sec-websocket-protocol'}, $echo,
            "of @offered the first that is known");
    }
    my $ws = $nginx->ws(protocols => [ 'codr.v1', 'codr.v1.bin' ]);
    is($ws->run_job(language => 'python', tty => $false,
        code => 'print(1)')->{stdout}, "1\n", 'codr.v1 is text');
    input($ws, 'x');
    is($ws->wait_for('(close)')->{code}, 1003, 'and nothing else');
    $ws = $nginx->ws;
    input($ws, 'x');
    is($ws->wait_for('(close)')->{code}, 1003, 'so it is without a name');
    is_deeply($nginx->get('/languages')->{json}{protocols},
        [ 'codr.v1', 'codr.v1.bin' ], 'codr_languages names both');
};


subtest 'bytes' => sub {
    my $ws = $nginx->ws(%bin);
    my $all = join '', map { chr } 0 .. 255;
    my $job = run_job($ws, code => "import os\nb = bytes(range(256))\n"
        . "os.write(1, b)\nos.write(2, b[::-1])\n");
    is($job->{status}, 'ok', 'a job ends');
    is($job->{text}[0], $all, 'any bytes on stdout');
    is($job->{text}[1], scalar reverse($all), 'and on stderr');
    is($job->{end}{output_bytes}, 512, 'are counted');

    $job = run_job($ws, code => "import os\nfor i in range(3000):\n"
        . "    os.write(1 + i % 2, b'%4d' % i)\n");
    is($job->{text}[0], join('', map { sprintf '%4d', 2 * $_ } 0 .. 1499),
        'small pieces of both streams');
    is($job->{text}[1], join('', map { sprintf '%4d', 2 * $_ + 1 } 0 .. 1499),
        'are not mixed up');
};


subtest 'input' => sub {
    my $ws = $nginx->ws(%bin);
    input($ws, 'x');
    is($ws->recv->{code}, 'not_running', 'needs a program');
    $ws->send(type => 'execute', language => 'python', tty => $false,
        code => "import os\nwhile b := os.read(0, 999): os.write(1, b)\n");
    my $m = $ws->wait_for('stage');
    my $bytes = "\0\xff\xfe\n" . join '', map { chr } 0 .. 255;
    input($ws, $bytes);
    $m = $ws->recv;
    is($m->{type}, '(binary)', 'a message');
    is($m->{data}, "\1$bytes", 'is what the program reads');
    $ws->send(type => 'input', data => 'text');
    is($ws->recv->{data}, "\1text", 'JSON is input, too');
    $ws->send_frame('', op => 2);
    is($ws->recv->{code}, 'bad_message', 'one without a stream');
    input($ws, 'x', 1);
    is($ws->recv->{code}, 'bad_message', 'stdout is not written to');
    input($ws, 'x' x 60_000) for 1 .. 18;
    $ws->send(type => 'eof');
    my $job = finish($ws);
    is($job->{status}, 'ok', 'eof');
    is(length $job->{text}[0], 17 * 60_000, 'as much as codr_input allows');
    is("@{ $job->{notices} }", 'input_too_large', 'and no more');
};


subtest 'a flood' => sub {
    my $ws = $nginx->ws(%bin, path => '/much');
    my $size = 20_000_000;
    my $code = "import os\nb = bytes(range(256)) * 4000\nn = 0\n"
        . "while n < $size:\n    n += os.write(1, b[n % 256:][:$size - n])\n";
    my $want = sha256_hex(substr join('', map { chr } 0 .. 255)
        x ($size / 256 + 1), 0, $size);
    my $job = run_job($ws, code => $code);
    is(sha256_hex($job->{text}[0]), $want, 'of any bytes');
    $ws->send(type => 'execute', language => 'python', tty => $false,
        code => $code);
    sleep 1;
    $job = finish($ws, 60);
    is(sha256_hex($job->{text}[0]), $want, 'a late reader gets all of it');
    is($job->{status}, 'ok', 'and the end');
};


subtest 'a bad line' => sub {
    my @pieces = Codr::Follow::pieces(600);
    my @text = Codr::Follow::text(@pieces);
    my $got = Codr::Follow::follow($nginx,
        { Codr::Follow::message(4, @pieces) }, drops => 30, ws => \%bin);
    is($got->{complete}{status} // $got->{error}{code}, 'ok', 'the job ends');
    cmp_ok($got->{drops}, '>=', 15, "after $got->{drops} broken lines");
    is($got->{gaps}, 0, 'started says where output goes on');
    is(sha256_hex($got->{text}[0]), sha256_hex($text[0]),
        'not a byte of stdout is lost or repeated');
    is(sha256_hex($got->{text}[1]), sha256_hex($text[1]), 'nor of stderr');
};


subtest 'a viewer' => sub {
    my $ws = $nginx->ws;
    $ws->execute(language => 'python', code => "print('ready')\ninput()\n");
    $ws->expect(qr/ready\r\n/);
    my ($started) = grep { $_->{type} eq 'started' } @{ $ws->{seen} };
    my $view = $nginx->ws(%bin);
    $view->send(type => 'attach', job_id => $started->{job_id},
        view_token => $started->{view_token});
    my $m = $view->wait_for('(binary)');
    is($m->{data}, "\1ready\r\n", 'may have another subprotocol');
    input($view, "x\n");
    is($view->recv->{code}, 'read_only', 'and only reads');
    $ws->input("x\n");
    is(finish($view)->{status}, 'ok', 'to the end');
};

$nginx->finish;
done_testing();
