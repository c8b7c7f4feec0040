package Codr::Deflate;

# Messages of permessage-deflate as a test wants them, right or wrong, and a
# reader that has no more of a window than was agreed on.

use strict;
use warnings;

use Compress::Raw::Zlib;
use Exporter qw(import);

our @EXPORT_OK = qw(packed unpacked);

# A message's payload.  Options: bits (15), level (6), flush (a sync flush,
# without its end), strategy.
sub packed {
    my ($data, %o) = @_;
    my ($z, $status) = Compress::Raw::Zlib::Deflate->new(
        -WindowBits => -($o{bits} // 15), -Level => $o{level} // 6,
        -Strategy => $o{strategy} // Z_DEFAULT_STRATEGY,
        -AppendOutput => 1);
    die "deflate: $status" unless $z;
    my $out = '';
    $z->deflate($data, $out) == Z_OK or die 'deflate';
    $z->flush($out, $o{flush} // Z_SYNC_FLUSH) == Z_OK or die 'deflate';
    $out =~ s/\x00\x00\xff\xff\z// if !defined $o{flush};
    return $out;
}

# What a payload holds, or undef: read in small pieces, so that whatever looks
# back further than the window is found out.
sub unpacked {
    my ($data, $bits) = @_;
    my ($z, $status) = Compress::Raw::Zlib::Inflate->new(
        -WindowBits => -($bits // 15), -Bufsize => 64, -LimitOutput => 1);
    die "inflate: $status" unless $z;
    my $in = "$data\x00\x00\xff\xff";
    my $out = '';
    for (;;) {
        my $before = length $in;
        my $rc = $z->inflate($in, my $piece);
        $out .= $piece // '';
        return if $rc != Z_OK && $rc != Z_BUF_ERROR;
        return $out if $rc == Z_BUF_ERROR && !length($piece // '')
            || !length $in && !length($piece // '');
        return if $before == length $in && !length($piece // '');
    }
}

1;
