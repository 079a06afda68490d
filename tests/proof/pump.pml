/*
 * A model of pump.c and look.c for spin(1): two peers that can do anything at any moment,
 * their systems, and the relay between them.  The search tries every order of
 * events, for streams of a few bytes:
 *
 *	spin -a tests/proof/pump.pml && cc -O2 -DSAFETY -DCOLLAPSE -o pan pan.c &&
 *	    ./pan -w24
 *
 * A peer can close for good, and its system can then forget the connection.  A
 * peer can reset, and its system can die.  There is no clock: any time can pass
 * between two events.  So a reader can pause without limit, and whenever there
 * is nothing else to do, a look at the queues or a limit can be due.
 *
 * What is asserted:
 *   bytes arrive in order, none twice, the urgent mark at its place;
 *   FIN arrives after the last byte, and only if the other peer has sent one;
 *   if a side is gone, RST arrives at the other side, after everything that the
 *   gone side had sent, FIN included;
 *   but no RST arrives if the gone side had sent FIN, was then forgotten or
 *   vanished, and no byte to it was lost;
 *   what one direction can deliver is delivered, however long the other waits;
 *   once a side is gone, the other can still write before it reads;
 *   a session is over once both peers have sent FIN, or once one is gone and
 *   the other has acknowledged everything, is gone or is dead;
 *   if a side is gone, the log says end=eof if, and only if, that side had sent
 *   FIN and no byte to it was lost;
 *   the relay wakes up only if there is something to move, so that none of its
 *   loops is endless; it looks at the queues only while a side has something to
 *   acknowledge.
 *
 * Only a signal or a limit cuts a stream short, with RST.  A limit must not cut
 * it if a peer that is still there has acknowledged anything since the last
 * movement that the pump knows of.  In this model, a byte from a peer counts as
 * movement once it is read; in look.c, an unread byte counts, too.
 *
 * -DKEEPALIVE=0 models -k 0.  -DBROKEN=NAME breaks the relay in one place, to
 * show that the search notices that.  proof.sh tries these names:
 */

#define FIN_BEFORE_BYTES	1	/* FIN overtakes pending bytes */
#define ERROR_AS_FIN		2	/* a reset is mistaken for FIN */
#define FILL_TOO_SOON		3	/* overwrites pending bytes */
#define REST_FORGOTTEN		4	/* what a short write leaves is lost */
#define NO_POLLOUT		5	/* pending bytes wait for ever */
#define POLLHUP_FOR_EVER	6	/* after FIN both ways, poll(2) spins */
#define ONE_BUFFER		7	/* a stalled reader stalls both flows */
#define MARK_PASSED		8	/* a read takes the urgent byte, too */
#define FIRST_FIN_ENDS		9	/* no half-close */
#define NO_LAST_WORDS		10	/* a gone side's last bytes are lost */
#define CLOSED_WITHOUT_WAITING	11	/* the last ACK is not waited for */
#define WAITS_FOR_THE_DEAD	12	/* no look asks for the error */
#define ZERO_AS_FIN		13	/* 0 after SO_ERROR is taken for FIN */
#define NO_RESET		14	/* close(2) alone, which sends FIN */
#define HUNG_UP_TOO_SOON	15	/* a side that got FIN is not polled */
#define MARK_UNASKED		16	/* no poll(2) before the urgent byte */
#define EARLY_UNHEEDED		17	/* POLLPRI spins for an early byte */
#define EARLY_FORGOTTEN		18	/* an early byte is read as ordinary */
#define FIN_BY_ERRNO		19	/* EPIPE alone shows that FIN came */
#define FORGOTTEN_AS_RESET	20	/* RST after a probe is passed on */
#define RESET_AS_FORGOTTEN	21	/* RST after FIN is never passed on */
#define PATIENCE_CUTS		22	/* after a loss, a slow reader is cut */
#define WRITES_AS_MOVEMENT	23	/* -T ignores acknowledgements */
#define ACKS_ALONE		24	/* -k drops a peer that only sends */
#define UNASKED_IS_SILENT	25	/* -k drops a peer not asked twice */
#define SILENCE_UNHEARD		26	/* -k keeps a peer that is dead */
#define SOFT_ERROR_ENDS		27	/* an error counts without POLLERR */
#define SPLICE_KEEPS_ERROR	28	/* recv(2) then reports FIN, no error */
#define GONE_SIDE_POLLED	29	/* poll(2) reports its end for ever */
#define LOOKS_FOR_EVER		30	/* an idle session wakes up */
#define LOSS_UNTOLD		31	/* end=eof, though bytes were lost */
#define WRITER_UNREAD		32	/* the remaining side is not read */

#ifndef BROKEN
#define BROKEN 0
#endif

#ifndef BYTES
#define BYTES 2		/* maximum that each peer sends; at least BUFFER */
#endif
#ifndef KEEPALIVE
#define KEEPALIVE 1	/* 0: as with -k 0 */
#endif
#define BUFFER 2	/* of a flow */
#define SOCKET 1	/* maximum of bytes sent and not acknowledged */

/* Values of errno. */
#define EAGAIN 1
#define ECONNRESET 2
#define EPIPE 3
#define ETIMEDOUT 4
#define EHOSTUNREACH 5

/* How a connection has ended, if it has. */
#define BY_ITSELF 1	/* RST by the peer itself */
#define IN_ANSWER 2	/* RST in answer to bytes after the peer's close */
#define FORGOTTEN 3	/* RST in answer to a probe: no longer known */
#define SILENT 4	/* no answer */

/* What each peer has sent; byte i of a stream is i. */
byte sent[2];			/* bytes that reached the relay's socket */
byte urgent[2];			/* which byte is urgent, or will be; 0: none */
bit fin[2];			/* FIN was sent, after these bytes */
bit closed[2];			/* after FIN, for good: it reads no more */
bit mute[2];			/* its system is dead, or cannot be reached */

/* What has reached each peer. */
byte arrived[2];		/* how many bytes */
bit saw_fin[2], saw_rst[2];

/* The relay's sockets. */
byte gone[2];			/* how the connection has ended, or 0 */
byte error[2];			/* errno of that, until it is reported */
byte taken[2];			/* how many bytes were read */
bit shut[2];			/* shut down for writing */
bit rst[2];			/* closed, with RST */
chan unacked[2] = [SOCKET] of { byte, bit };	/* bytes, with their marks */

/* struct session */
typedef flow {
	byte buffer[BUFFER];
	byte start, stop;
	bit mark;		/* carry.urgent */
	bit early, fin, eof, done, hung
};
flow f[2];
#define SIDES 2
byte s_gone = SIDES;
bit s_reset;
bit s_check;			/* a look is due at some time */
byte s_acked[2];		/* bytes and FIN, counted at the last look */
bit unseen[2];			/* acknowledged since s->moved was set */
byte s_end;
byte taken_then;		/* taken[other] when a side was found gone */
#define OPEN 0
#define EOF 1
#define LOST 2
#define CUT 3			/* by a signal or a limit */
bit no_side_left;		/* what a return of -1 means */
byte at;			/* where the relay is */
#define RUNNING 0
#define WAITING 1
#define OVER 2

#define other (1 - side)
#define pending(i) (f[i].start != f[i].stop)
#define room(i) (len(unacked[i]) < SOCKET)

/* tcp_unsent: FIN counts as a byte; the end of a connection changes nothing. */
#define unsent(i) (len(unacked[i]) + (shut[i] && !saw_fin[i]))

/* What poll(2) finds on a socket. */
#define readable(i) (taken[i] < sent[i] || fin[i] || gone[i])
#define writable(i) (room(i) || gone[i])
#define is_hup(i) (gone[i] || (fin[i] && shut[i]))

/* interest: the events that a side is polled for, and whether it is polled. */
#if BROKEN == ONE_BUFFER
#define asks_in(i) (!f[i].eof && !pending(i) && !pending(1 - i))
#else
#define asks_in(i) (!f[i].eof && !pending(i))
#endif
#if BROKEN == EARLY_UNHEEDED
#define asks_pri(i) asks_in(i)
#else
#define asks_pri(i) (asks_in(i) && !f[i].early)
#endif
#if BROKEN == NO_POLLOUT
#define asks_out(i) false
#else
#define asks_out(i) pending(1 - i)
#endif
#if BROKEN == POLLHUP_FOR_EVER
#define is_asked(i) (s_gone != i)
#elif BROKEN == HUNG_UP_TOO_SOON
#define is_asked(i) (s_gone != i && (asks_in(i) || asks_out(i) || \
    !f[1 - i].done))
#elif BROKEN == GONE_SIDE_POLLED
#define is_asked(i) (asks_in(i) || asks_out(i) || !f[1 - i].done || !f[i].hung)
#else
#define is_asked(i) (s_gone != i && (asks_in(i) || asks_out(i) || \
    !f[1 - i].done || !f[i].hung))
#endif

/* The revents of a side. */
#define is_in(i) (is_asked(i) && asks_in(i) && readable(i))
#define is_pri(i) (is_asked(i) && asks_pri(i) && urgent[i] > taken[i])
#define is_out(i) (is_asked(i) && asks_out(i) && writable(i))
#define is_bad(i) (is_asked(i) && is_hup(i))

#define has_left(i) (s_gone == i && !f[i].eof && !pending(i))
#define is_ready(i) (is_in(i) || is_pri(i) || is_out(i) || is_bad(i) || \
    has_left(i))
#define owed(i) (s_gone != i && unsent(i) > 0)
#define sleeps (at == WAITING && !is_ready(0) && !is_ready(1))

/* Bytes, or FIN, in flight to a peer that can be reached. */
#define arriving(i) (unsent(i) > 0 && !gone[i] && !mute[i] && !rst[i])

#define may_send(i) (at != OVER && !gone[i] && !mute[i] && !fin[i])
#define may_end(i) (at != OVER && !gone[i] && !(fin[i] && saw_fin[i]))

/* In CLOSE_WAIT, RST gives EPIPE. */
inline ends(side, how)
{
	gone[side] = how;
	error[side] = (how == SILENT -> ETIMEDOUT :
	    (fin[side] && !shut[side] -> EPIPE : ECONNRESET));
	closed[side] = 0;
	mute[side] = 0
}

/* A peer, and its system. */
proctype peer(byte side)
{
	byte value;
	bit mark;

end:	do
	:: d_step { may_send(side) && sent[side] < BYTES ->
		sent[side]++;
		/* An urgent byte that came early is now in order, too. */
		sent[side] = sent[side] + (urgent[side] == sent[side] + 1)
	   }
	:: d_step { may_send(side) && sent[side] < BYTES && urgent[side] == 0 ->
		sent[side]++;
		urgent[side] = sent[side]
	   }
	:: d_step { may_send(side) && sent[side] + 1 < BYTES &&
	    urgent[side] == 0 ->
		urgent[side] = sent[side] + 2	/* the byte before is late */
	   }
	:: d_step { may_send(side) && urgent[side] <= sent[side] ->
		fin[side] = 1
	   }
	:: d_step { may_end(side) && fin[side] && !closed[side] &&
	    !mute[side] ->
		closed[side] = 1
	   }
	:: d_step { may_end(side) && !mute[side] && !closed[side] ->
		ends(side, BY_ITSELF)
	   }
	:: d_step { may_end(side) && closed[side] && unsent(side) == 0 ->
		ends(side, FORGOTTEN)	/* a probe has asked */
	   }
	:: d_step { may_end(side) && !mute[side] ->
		mute[side] = 1;
		closed[side] = 0
	   }
	:: d_step { may_end(side) && mute[side] -> ends(side, SILENT) }
	:: atomic { arriving(side) && len(unacked[side]) > 0 && !closed[side] ->
		unacked[side] ? value, mark;
		assert(value == arrived[side] + 1);
		assert(mark == (value == urgent[other]));
		arrived[side] = value;
		unseen[side] = (at != OVER);
		value = 0;
		mark = 0
	   }
	:: d_step { arriving(side) && len(unacked[side]) == 0 ->
		assert(fin[other] && arrived[side] == sent[other]);
		unseen[side] = (at != OVER);
		saw_fin[side] = 1;
		closed[side] = 0
	   }
	:: d_step { arriving(side) && closed[side] ->
		ends(side, IN_ANSWER)
	   }
	:: d_step { rst[side] && !gone[side] && !mute[side] && !saw_rst[side] ->
		assert(s_end == CUT ||
		    (s_gone == other && arrived[side] == sent[other] &&
		    saw_fin[side] == fin[other] &&
		    (!fin[other] || gone[other] == BY_ITSELF ||
		    arrived[other] < sent[side])));
		saw_rst[side] = 1
	   }
	od
}

/*
 * The relay may sleep without a look to come only if everything that it has
 * received is delivered, or is in flight to a peer that can be reached, and
 * only if the relay knows of every end.  If both peers have sent FIN, or if one
 * is gone, something must be in flight.
 */
#define waits_for(i) (arriving(i) || (!KEEPALIVE && mute[i] && unsent(i) > 0))
#define is_served(i) (s_gone == i || gone[i] || waits_for(i) || \
    (unsent(i) == 0 && arrived[i] == sent[1 - i] && saw_fin[i] == fin[1 - i]))
#define is_heeded(i) (s_gone == i || !gone[i] || \
    (s_gone == SIDES && fin[i] && shut[i]))
#define left (1 - s_gone)
#define may_sleep (is_served(0) && is_served(1) && \
    is_heeded(0) && is_heeded(1) && \
    (s_gone == SIDES || taken[left] == sent[left]) && \
    ((s_gone == SIDES && !(fin[0] && fin[1])) || \
    (s_gone != 0 && waits_for(0)) || (s_gone != 1 && waits_for(1))))

active proctype judge()
{
end:	d_step { sleeps && !s_check && !may_sleep -> assert(false) }
}

/* Each peer learns of the end. */
#define has_heard(i) (gone[i] || mute[i] || \
    (!arriving(i) && saw_rst[i] == rst[i]))
#define has_closed(i) (fin[i] && (mute[i] || gone[i] == FORGOTTEN || \
    gone[i] == SILENT))
#define knows(i) (gone[i] || mute[i] || saw_rst[i] || \
    (saw_fin[i] && (fin[i] || has_closed(1 - i))))

/* If a side is gone, end=eof means that it had sent FIN and lost no byte. */
#define says_right (s_end == CUT || s_gone == SIDES || gone[left] || \
    mute[left] || \
    (s_end == EOF) == (fin[s_gone] && arrived[s_gone] == taken_then))

/*
 * This reads SO_ERROR if poll(2) reports POLLERR, as it does for an error that
 * ends the connection.  On a live connection, SO_ERROR can give a soft error
 * from ICMP.
 */
inline tcp_error(side, result)
{
	if
	:: error[side] != 0 ->
		result = error[side];
		error[side] = 0
	:: error[side] == 0 -> result = 0
	:: error[side] == 0 && !gone[side] && BROKEN == SOFT_ERROR_ENDS ->
		result = EHOSTUNREACH
	fi
}

/* carry_fill: n is the number of bytes, or -1 with an errno in e. */
inline carry_fill(side, pri)
{
	f[side].mark = pri && urgent[side] == taken[side] + 1;
	f[side].start = 0;
	n = 0;
	e = 0;
	do
	:: taken[side] < sent[side] && n < BUFFER && (n == 0 ||
	    (!f[side].mark && (BROKEN == MARK_PASSED ||
	    urgent[side] != taken[side] + 1))) ->
		taken[side]++;
		f[side].buffer[n] = taken[side];
		n++
	:: else -> break
	od;
	f[side].stop = n;
	if
	:: n == 0 && !fin[side] && (error[side] != 0 || !gone[side]) ->
		n = -1;
		e = (error[side] == 0 -> EAGAIN : error[side]);
		error[side] = 0
	:: else -> skip		/* bytes; or 0 for FIN, or once gone */
	fi
}

/*
 * carry_drain: the same, except that n is never 0.  If the other side resets
 * while splice(2) writes, the error is never reported: only tcp_events shows
 * that the connection has ended.
 */
inline carry_drain(side)
{
	n = 0;
	e = 0;
	if
	:: gone[other] ->
		n = -1;
		e = (error[other] == 0 -> EPIPE : error[other]);
		error[other] = 0
	:: else ->
		do
		:: pending(side) && room(other) ->
			unacked[other] ! f[side].buffer[f[side].start],
			    f[side].mark;
			f[side].buffer[f[side].start] = 0;
			f[side].start++;
			n++
		:: else -> break
		od;
		if
		:: n == 0 -> n = -1; e = EAGAIN
		:: n > 0 && BROKEN == REST_FORGOTTEN ->
			f[side].start = f[side].stop
		:: n > 0 && BROKEN != REST_FORGOTTEN
		:: n > 0 && pending(side) && may_end(other) && !mute[other] ->
			ends(other, (closed[other] -> IN_ANSWER : BY_ITSELF));
			error[other] = 0;
			if
			:: BROKEN != SPLICE_KEEPS_ERROR -> n = -1; e = EPIPE
			:: else
			fi
		fi
	fi;
	if
	:: pending(side)
	:: else -> carry_drop(side)	/* one state, whatever led here */
	fi
}

inline carry_drop(side)
{
	f[side].buffer[0] = 0;
	f[side].buffer[1] = 0;
	f[side].start = 0;
	f[side].stop = 0;
	f[side].mark = 0
}

#if BROKEN == FIRST_FIN_ENDS
#define all_done (f[0].done || f[1].done)
#else
#define all_done (f[0].done && f[1].done)
#endif
#if BROKEN == CLOSED_WITHOUT_WAITING
#define finished all_done
#else
#define finished (all_done && (s_gone == SIDES || unsent(1 - s_gone) == 0))
#endif

/* watch: without keepalive, look only for the last acknowledgement. */
#define watched (KEEPALIVE || (s_gone != SIDES && all_done))

/* s->moved[] = s->now */
inline something_moved()
{
	unseen[0] = 0;
	unseen[1] = 0
}

/* gone() and failed(): a side is gone, and its errno is in e. */
inline lost(side)
{
	tcp_error(side, n);		/* failed(): ask the socket */
	e = (n == 0 -> e : n);
	f[side].fin = f[side].eof || fin[side];
	if
	:: BROKEN == FIN_BY_ERRNO -> f[side].fin = (e == EPIPE)
	:: else
	fi;
	if
	:: s_end == OPEN && (s_gone != SIDES || !f[side].fin ||
	    pending(other) || (unsent(side) > f[other].done &&
	    BROKEN != LOSS_UNTOLD)) -> s_end = LOST
	:: else
	fi;
	if
	:: s_gone != SIDES -> no_side_left = 1
	:: else ->
		s_gone = side;
		s_reset = !f[side].fin || !(e == ETIMEDOUT ||
		    (gone[side] == FORGOTTEN && BROKEN != FORGOTTEN_AS_RESET) ||
		    BROKEN == RESET_AS_FORGOTTEN);
		s_acked[side] = 0;
		if
		:: unseen[side] -> something_moved()
		:: else
		fi;
		carry_drop(other);
		taken_then = taken[other];
		f[other].eof = f[other].eof || BROKEN == WRITER_UNREAD;
		f[other].done = 1;
		s_check = s_check || watched;
		if
		:: BROKEN == NO_LAST_WORDS ->
			carry_drop(side);
			f[side].eof = 1
		:: else
		fi
	fi;
	moved = 1;
	e = 0;
	n = 0
}

/* pass: send what is pending. */
inline drain(side)
{
	if
	:: pending(side) && s_gone == other ->
		carry_drop(side);
		s_reset = 1;
		moved = 1;
		n = 0
	:: pending(side) && s_gone != other ->
		carry_drain(side);
		if
		:: n > 0 -> moved = 1; s_check = s_check || watched
		:: n < 0 && e == EAGAIN -> n = 0
		:: else -> lost(other)
		fi
	:: else -> n = 0
	fi
}

/* pass, the first turn, with what poll(2) has reported. */
inline pass(side, in, pri)
{
	if
	:: (pri || f[side].early) && !in ->
		moved = moved || !f[side].early;
		f[side].early = 1;
		pri = 1
	:: in ->
		pri = pri || (f[side].early && BROKEN != EARLY_FORGOTTEN);
		f[side].early = 0
	:: else
	fi;
	if
	:: (!pending(side) || BROKEN == FILL_TOO_SOON) && !f[side].eof ->
		carry_fill(side, pri);
		if
		:: n > 0 -> something_moved(); moved = 1; drain(side)
		:: n == 0 || (n < 0 && (s_gone == side ||
		    (e != EAGAIN && BROKEN == ERROR_AS_FIN))) ->
			f[side].eof = 1;
			something_moved();
			moved = 1;
			n = 0
		:: n < 0 && s_gone != side && e == EAGAIN -> n = 0
		:: else -> lost(side)
		fi
	:: else -> drain(side)
	fi
}

/*
 * With bulk, pass goes on: it fills without poll(2), which brings bytes up to
 * the urgent one, but not that one.
 */
#define goes_on(side) (n > 0 && !pending(side) && !f[side].eof && \
    s_gone != side && taken[side] < sent[side] && \
    (urgent[side] != taken[side] + 1 || BROKEN == MARK_UNASKED))

#define passes_fin(side) (!no_side_left && !f[side].done && \
    ((f[side].eof && !pending(side)) || \
    (fin[side] && BROKEN == FIN_BEFORE_BYTES)))

inline pass_fin(side)
{
	if
	:: gone[other] && (f[side].fin || s_gone != side) ->
		e = EPIPE;
		lost(other)
	:: else ->
		shut[other] = f[side].fin || s_gone != side ||
		    BROKEN == ZERO_AS_FIN;
		f[side].done = 1;
		s_check = s_check || watched;
		moved = 1
	fi
}

/*
 * step, if there is a reason for it.  In this model, filling and draining are
 * one step, because whatever a peer can do between them, it can also do before
 * them.
 */
inline step(side, in, pri, any)
{
	if
	:: atomic { !no_side_left && (in || pri || any || has_left(side)) ->
		if
		:: has_left(side) -> in = 1; pri = 1
		:: else
		fi;
		pass(side, in, pri)
	   };
		do
		:: atomic { goes_on(side) ->
			carry_fill(side, 0);
			something_moved();
			drain(side)
		   }
		:: atomic { passes_fin(side) -> pass_fin(side); break }
		:: !passes_fin(side) -> break
		od
	:: else
	fi
}

/*
 * serve: POLLERR and POLLHUP.  Without an error, POLLHUP shows that FIN has
 * gone both ways.
 */
inline hear(side)
{
	tcp_error(side, e);
	if
	:: e != 0 -> lost(side)
	:: else ->
		moved = moved || !f[side].hung;
		f[side].hung = 1
	fi
}

/*
 * tcp_repeats: is the last acknowledgement old enough, is the last data, and
 * was the peer's system asked twice?  If that system answers, at most two of
 * the three are true.
 */
inline tcp_repeats(side)
{
	if
	:: acks_old = mute[side]; data_old = mute[side]; asked = 1
	:: acks_old = 1; data_old = mute[side]; asked = 1
	:: acks_old = 1; data_old = 1; asked = mute[side]
	fi
}

#define owes_too_long (KEEPALIVE && BROKEN != SILENCE_UNHEARD && acks_old && \
    (data_old || BROKEN == ACKS_ALONE) && \
    (asked || BROKEN == UNASKED_IS_SILENT))

inline look_at_side(side)
{
	if
	:: !no_side_left && owed(side) ->
		e = 0;
		if
		:: BROKEN != WAITS_FOR_THE_DEAD -> tcp_error(side, e)
		:: else
		fi;
		tcp_repeats(side);
		e = (e == 0 && owes_too_long -> ETIMEDOUT : e);
		if
		:: e != 0 -> lost(side)
		:: else ->
			more = 1;
			no_side_left = BROKEN == PATIENCE_CUTS &&
			    s_gone != SIDES
		fi
	:: else
	fi
}

#define acked(i) (s_gone == i -> 0 : arrived[i] + saw_fin[i])

/* look: has anything been acknowledged? */
inline look_for_acks()
{
	moved = BROKEN != WRITES_AS_MOVEMENT &&
	    (acked(0) > s_acked[0] || acked(1) > s_acked[1]);
	if
	:: moved -> something_moved()
	:: else
	fi;
	s_acked[0] = acked(0);
	s_acked[1] = acked(1)
}

/* look: by that time, any silence has lasted as long as is allowed. */
inline look()
{
	look_for_acks();
	moved = 0;
	more = 0;
	look_at_side(0);
	look_at_side(1);
	s_check = (more && watched) || BROKEN == LOOKS_FOR_EVER;
	more = 0; acks_old = 0; data_old = 0; asked = 0
}

/* End a round of carry_on.  `finished' is checked only here. */
inline go_round()
{
	d_step {
		e = 0; n = 0; moved = 0;
		in0 = 0; out0 = 0; pri0 = 0; bad0 = 0;
		in1 = 0; out1 = 0; pri1 = 0; bad1 = 0;
		at = (no_side_left || finished -> OVER : WAITING)
	}
}

/* Call poll(2), and serve with what that reports for both sides. */
inline serve()
{
	atomic { at == WAITING && !sleeps ->
		at = RUNNING;
		in0 = is_in(0); out0 = is_out(0);
		pri0 = is_pri(0); bad0 = is_bad(0);
		in1 = is_in(1); out1 = is_out(1);
		pri1 = is_pri(1); bad1 = is_bad(1);
		if
		:: bad0 -> hear(0)
		:: else
		fi;
		if
		:: bad1 && !no_side_left -> hear(1)
		:: else
		fi
	};
	step(0, in0, pri0, bad0 || out1);
	step(1, in1, pri1, bad1 || out0);
	assert(moved || no_side_left);
	go_round()
}

inline carry_on()
{
	go_round();
	do
	:: at == OVER -> break
	:: serve()
	:: atomic { sleeps && s_check ->
		look();
		assert(moved || no_side_left || finished || may_sleep);
		assert(!s_check || owed(0) || owed(1));
		go_round()
	   }
	:: atomic { sleeps ->		/* a limit */
		look_for_acks();
		if
		:: moved
		:: else ->
			assert(!unseen[0] && !unseen[1]);
			s_end = CUT;
			no_side_left = 1
		fi;
		go_round()
	   }
	:: d_step { at == WAITING ->	/* a signal */
		s_end = CUT;
		at = OVER
	   }
	od
}

/*
 * report_exit.  A peer sees no RST if both peers have sent FIN and nothing is
 * left to drop.  If bytes are unread, close(2) sends RST.
 */
inline leave(side)
{
	if
	:: s_end == EOF && !s_reset ->
		rst[side] = taken[side] < sent[side];
		assert(!rst[side] || s_gone == other)
	:: else ->
		if
		:: BROKEN == NO_RESET -> shut[side] = 1
		:: else -> rst[side] =
		    !(fin[side] && shut[side] && unsent(side) == 0)
		fi
	fi
}

active proctype relay()
{
	byte e;
	short n;
	bit in0, out0, pri0, bad0, in1, out1, pri1, bad1, moved, more;
	bit acks_old, data_old, asked;

	run peer(0);
	run peer(1);
	/* pump */
	if
	:: atomic { gone[0] -> e = error[0]; error[0] = 0; lost(0) }
	:: atomic { gone[1] -> e = error[1]; error[1] = 0; lost(1) }
	:: skip
	fi;
	carry_on();
	atomic {
		s_end = (s_end == OPEN -> EOF : s_end);
		leave(0);
		leave(1)
	}
	/* A peer that does not know of the end by now never will. */
	has_heard(0) && has_heard(1);
	assert(knows(0) && knows(1));
	assert(says_right)
}
