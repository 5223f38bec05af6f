#!/usr/bin/perl
# SPDX-License-Identifier: GPL-2.0-only
#
# Mail::SPF on the cases of bench_spf.py: reads one from standard input, evaluates it so many times, and prints the
# result and the seconds that took. The resolver is a table of packets that are made beforehand, or, for a case without
# a zone, the one of Net::DNS, which asks the servers of /etc/resolv.conf.
#
# usage: bench_mail_spf.pl ROUNDS
use strict;
use warnings;

use JSON::PP;
use Mail::SPF;
use Net::DNS;
use Time::HiRes qw(time);

package Table;

sub new {
    my ($class, $zone) = @_;
    return bless { zone => $zone, packets => {} }, $class;
}

sub errorstring { return 'NOERROR'; }

sub records {
    my ($self, $name, $type) = @_;
    my $values = $self->{zone}{$name}{$type} || [];
    my %text = (A => sub { $_[0] }, AAAA => sub { $_[0] }, PTR => sub { "$_[0]." },
        MX => sub { "$_[0][0] $_[0][1]." }, TXT => sub { '"' . join('" "', unpack('(A255)*', $_[0])) . '"' });
    return map { Net::DNS::RR->new("$name. 300 IN $type " . $text{$type}->($_)) } @$values;
}

sub send {
    my ($self, $name, $type) = @_;
    $name = lc $name;
    return $self->{packets}{"$name $type"} //= do {
        my $packet = Net::DNS::Packet->new($name, $type);
        $packet->push(answer => $self->records($name, $type)) if exists $text::types{$type};
        $packet->header->rcode(exists $self->{zone}{$name} ? 'NOERROR' : 'NXDOMAIN');
        $packet;
    };
}

package main;

BEGIN { %text::types = map { $_ => 1 } qw(A AAAA PTR MX TXT); }

my $rounds = shift // 1;
my $case = decode_json(scalar <STDIN>);
my $resolver = $case->{zone} ? Table->new($case->{zone}) : Net::DNS::Resolver->new;
my $result;
my $start = time;
for (1 .. $rounds) {
    my $server = Mail::SPF::Server->new(dns_resolver => $resolver, query_rr_types => Mail::SPF::Server->query_rr_type_txt);
    $result = $server->process(Mail::SPF::Request->new(
        scope => 'mfrom', identity => $case->{from}, ip_address => $case->{ip}, helo_identity => $case->{helo}));
    $result->local_explanation;
}
printf "%s %.6f\n", $result->code, time - $start;
