/*
 * A model of pump.c for spin(1): two peers that may do anything at any moment,
 * their kernels, and between them the relay, of which each system call is one
 * step.  The search goes through every order in which all of it can happen, for
 * streams of a few bytes:
 *
 *	spin -a src/pump.pml && cc -O2 -DSAFETY -o pan pan.c && ./pan -w24
 *
 * What is asserted:
 *   bytes arrive in order, none twice, the urgent mark at its place;
 *   FIN arrives behind the last byte, and only if the other peer has sent one;
 *   RST arrives behind all that a peer had sent before it was gone, and behind
 *   FIN if that came first; and arrive it does;
 *   what one direction can deliver is delivered, however long the other waits;
 *   a session is over once both peers have sent FIN, or one is gone;
 *   the relay does not wake up without something to move, and so none of its
 *   loops is endless.
 *
 * Only a signal or a limit and, when the other peer is gone, a reader that takes
 * nothing for as long as PATIENCE may cut a stream short, with RST.
 *
 * -DBROKEN=NAME makes the relay wrong in one place, to show that the search
 * notices; tests/proof.sh tries these:
 */

#define FIN_BEFORE_BYTES	1	/* FIN does not wait for what is pending */
#define ERROR_AS_FIN		2	/* a reset is taken for the end */
#define FILL_TOO_SOON		3	/* over what is pending */
#define REST_FORGOTTEN		4	/* of a write that was cut short */
#define NO_POLLOUT		5	/* what is pending waits for ever */
#define POLLHUP_FOR_EVER	6	/* after FIN both ways, poll(2) spins */
#define ONE_BUFFER		7	/* a stalled reader stalls both flows */
#define MARK_PASSED		8	/* reads on into the urgent byte */
#define FIRST_FIN_ENDS		9	/* no half-close */
#define NO_LAST_WORDS		10	/* what a gone peer had sent is lost */
#define NO_SETTLING		11	/* RST overtakes it */
#define SETTLING_WITH_THE_DEAD	12	/* waits for a peer that is gone, too */
#define ZERO_AS_FIN		13	/* recv(2) gives 0 once SO_ERROR is read */
#define NO_RESET		14	/* close(2) alone, which sends FIN */
#define HUNG_UP_TOO_SOON	15	/* once FIN is passed on to a side */
#define MARK_UNASKED		16	/* goes on into the urgent byte without poll(2) */
#define EARLY_UNHEEDED		17	/* POLLPRI spins until it is in order */
#define EARLY_FORGOTTEN		18	/* and then it is read as any other */
#define FIN_BY_ERRNO		19	/* EPIPE alone tells of FIN before RST */

#ifndef BROKEN
#define BROKEN 0
#endif

#ifndef BYTES
#define BYTES 2		/* that each peer sends, at most; BUFFER or more */
#endif
#define BUFFER 2	/* of a flow */
#define SOCKET 1	/* bytes that are sent, and not acknowledged */

/* errno, where it is not 0. */
#define EAGAIN 1
#define ECONNRESET 2
#define EPIPE 3
#define ENOTCONN 4

/* s->end */
#define OPEN 0
#define EOF 1
#define CUT 2			/* by a signal, or a limit */
#define RESET 3			/* of side 0; 4: of side 1 */

/* What each peer has sent; byte i of a stream is i. */
byte sent[2];			/* how many, that lie in the relay's socket */
byte urgent[2];			/* which of them is, or will be; 0: none */
bit fin[2];			/* behind them */
bit gone[2];			/* RST, or nothing any more */
bit had_fin[2];			/* FIN came before that */
bit crossed[2];			/* both FIN had, or ours was on its way */

/* What has reached it. */
byte arrived[2];		/* how many bytes */
bit saw_fin[2], saw_rst[2];

/* The relay's sockets. */
byte taken[2];			/* how many bytes were read */
byte error[2];			/* SO_ERROR */
bit shut[2];			/* for writing */
bit rst[2];			/* closed, with RST */
chan unacked[2] = [SOCKET] of { byte, bit };	/* bytes, with their marks */

/* struct session */
typedef flow {
	byte buffer[BUFFER];
	byte start, stop;
	bit mark;		/* f->urgent */
	bit early;
	bit eof, done, hung_up
};
flow f[2];
byte s_end, s_error;
bit lost_patience;
byte at;			/* where the relay waits, if it does */
#define RUNNING 0
#define CARRYING 1
#define HANDING_OVER 2
#define SETTLING 3
#define OVER 4

#define other (1 - side)
#define pending(i) (f[i].start != f[i].stop)
#define room(i) (len(unacked[i]) < SOCKET)

/* What poll(2) finds on a socket. */
#define readable(i) (taken[i] < sent[i] || fin[i] || gone[i])
#define writable(i) (room(i) || gone[i])
#define is_hup(i) (gone[i] || (fin[i] && shut[i]))

/* interest: what is asked of a side, and whether anything is. */
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
#define asked(i) true
#elif BROKEN == HUNG_UP_TOO_SOON
#define asked(i) (asks_in(i) || asks_out(i) || !f[1 - i].done)
#else
#define asked(i) (asks_in(i) || asks_out(i) || !f[i].hung_up)
#endif

/* The revents of a side. */
#define is_in(i) (asks_in(i) && readable(i))
#define is_pri(i) (asks_pri(i) && urgent[i] > taken[i])
#define is_out(i) (asks_out(i) && writable(i))
#define is_bad(i) (asked(i) && (error[i] != 0 || is_hup(i)))
#define is_ready(i) (is_in(i) || is_pri(i) || is_out(i) || is_bad(i))

/* Where hand_over and settle wait for the side that is not gone. */
#define unsent(i) (len(unacked[i]) > 0 || (shut[i] && !saw_fin[i]))
#if BROKEN == SETTLING_WITH_THE_DEAD
#define notices(i) (gone[i] && !f[1 - i].done)
#else
#define notices(i) gone[i]
#endif
#define left (1 - (s_end - RESET))
#define settle_wakes (!unsent(left) || notices(left))
#define hand_over_wakes writable(left)

/* Bytes, or FIN, that are under way to a peer which is still there. */
#define arriving(i) (!gone[i] && !rst[i] && unsent(i))

#define may_send(i) (at != OVER && !gone[i] && !fin[i])

/* A peer, and its kernel. */
proctype peer(byte side)
{
	byte value;
	bit mark;

end:	do
	:: d_step { may_send(side) && sent[side] < BYTES ->
		sent[side]++;
		/* An urgent byte that came early is then in order, too. */
		sent[side] = sent[side] + (urgent[side] == sent[side] + 1)
	   }
	:: d_step { may_send(side) && sent[side] < BYTES && urgent[side] == 0 ->
		sent[side]++;
		urgent[side] = sent[side]
	   }
	:: d_step { may_send(side) && sent[side] + 1 < BYTES &&
	    urgent[side] == 0 ->
		urgent[side] = sent[side] + 2	/* what is before it is lost */
	   }
	:: d_step { may_send(side) && urgent[side] <= sent[side] ->
		fin[side] = 1
	   }
	:: d_step { at != OVER && !gone[side] &&
	    !(fin[side] && saw_fin[side]) ->
		gone[side] = 1;
		had_fin[side] = fin[side];
		crossed[side] = fin[side] && shut[side];
		/* In CLOSE_WAIT, RST is EPIPE. */
		error[side] = (fin[side] && !shut[side] -> EPIPE : ECONNRESET)
	   }
	:: atomic { arriving(side) && len(unacked[side]) > 0 ->
		unacked[side] ? value, mark;
		assert(value == arrived[side] + 1);
		assert(mark == (value == urgent[other]));
		arrived[side] = value;
		value = 0;
		mark = 0
	   }
	:: d_step { arriving(side) && len(unacked[side]) == 0 ->
		assert(fin[other] && arrived[side] == sent[other]);
		saw_fin[side] = 1
	   }
	:: d_step { rst[side] && !gone[side] && !saw_rst[side] ->
		assert(s_end == CUT || lost_patience ||
		    (gone[other] && arrived[side] == sent[other] &&
		    saw_fin[side] >= had_fin[other]));
		saw_rst[side] = 1
	   }
	od
}

/*
 * What the relay may be waiting for: for peers to send or, with bytes on their
 * way to them, to read; but not once a peer is gone, and then for PATIENCE at
 * most, and only with bytes on their way to the other.
 */
#define sleeps ((at == CARRYING && !is_ready(0) && !is_ready(1)) || \
    (at == HANDING_OVER && !hand_over_wakes) || \
    (at == SETTLING && !settle_wakes))
#define delivered(i) (gone[i] || arriving(i) || \
    (arrived[i] == sent[1 - i] && saw_fin[i] == fin[1 - i]))
#define unnoticed(i) (gone[i] && !crossed[i])
#define may_sleep (at == CARRYING -> \
    delivered(0) && delivered(1) && !unnoticed(0) && !unnoticed(1) && \
    (!fin[0] || !fin[1] || arriving(0) || arriving(1)) : arriving(left))

active proctype judge()
{
end:	d_step { sleeps && !may_sleep -> assert(false) }
}

/* Nobody is left in the dark. */
#define has_heard(i) (gone[i] || (!arriving(i) && saw_rst[i] == rst[i]))
#define knows(i) (gone[i] || saw_rst[i] || (fin[i] && saw_fin[i]))

/* getsockopt(2) of SO_ERROR: an error is told once. */
inline socket_error(side, result)
{
	result = error[side];
	error[side] = 0
}

/* carry_fill: n is bytes, or -1 with an errno in e. */
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
		socket_error(side, e);
		e = (e == 0 -> EAGAIN : e)
	:: else -> skip		/* bytes; or 0 for FIN, or once gone */
	fi
}

/* carry_drain: the same, but n is not 0. */
inline carry_drain(side)
{
	n = 0;
	e = 0;
	if
	:: gone[other] ->
		n = -1;
		socket_error(other, e);
		e = (e == 0 -> EPIPE : e)
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
		:: else -> skip
		fi
	fi;
	if
	:: pending(side) -> skip
	:: else ->		/* the same state, however it was reached */
		f[side].start = 0;
		f[side].stop = 0;
		f[side].mark = 0
	fi
}

/* failed, with the errno in e. */
inline failed(side)
{
	s_end = RESET + side;
	s_error = e;
	socket_error(side, e);
	s_error = (e != 0 -> e : s_error);
	e = s_error
}

/* move: send what is pending. */
inline drain(side)
{
	if
	:: atomic { e == 0 && pending(side) ->
		carry_drain(side);
		if
		:: n > 0 -> moved = 1
		:: n < 0 && e == EAGAIN -> skip
		:: else -> failed(other)
		fi
	   }
	:: else -> skip
	fi
}

/* A fill that does not ask poll(2) brings bytes, and not the urgent one. */
#define unasked(side) (taken[side] < sent[side] && \
    (urgent[side] != taken[side] + 1 || BROKEN == MARK_UNASKED))

/*
 * step: up to five system calls.  Each time it must move something.
 */
inline step(side, in, pri)
{
	atomic {
		if
		:: (pri || f[side].early) && !in ->
			moved = moved || !f[side].early;
			f[side].early = 1;
			pri = 1
		:: in ->
			pri = pri ||
			    (f[side].early && BROKEN != EARLY_FORGOTTEN);
			f[side].early = 0
		:: else -> skip
		fi;
		if
		:: (!pending(side) || BROKEN == FILL_TOO_SOON) &&
		    !f[side].eof ->
			carry_fill(side, pri);
			if
			:: n > 0 -> moved = 1
			:: n == 0 || (e != EAGAIN && BROKEN == ERROR_AS_FIN) ->
				f[side].eof = 1;
				moved = 1;
				e = 0
			:: n < 0 && e == EAGAIN -> skip
			:: else -> failed(side)
			fi
		:: else -> e = 0
		fi
	}
	drain(side);
	if
	:: atomic { e == 0 && n > 0 && !pending(side) && !f[side].eof &&
	    unasked(side) ->
		carry_fill(side, 0);
		if
		:: n > 0 -> skip
		:: else -> failed(side)
		fi
	   }
	:: skip			/* it is no bulk */
	fi;
	drain(side);
	if
	:: atomic { e == 0 && !f[side].done && ((f[side].eof &&
	    !pending(side)) || (fin[side] && BROKEN == FIN_BEFORE_BYTES)) ->
		if
		:: gone[other] -> e = ENOTCONN; failed(other)
		:: else -> shut[other] = 1; f[side].done = 1; moved = 1
		fi
	   }
	:: else -> skip
	fi;
	n = 0;
	e = 0
}

/* serve, POLLERR and POLLHUP: without an error, it is FIN both ways. */
inline hear(side)
{
	socket_error(side, e);
	if
	:: e != 0 -> failed(side)
	:: else -> moved = !f[side].hung_up; f[side].hung_up = 1
	fi
}

/* serve, with what poll(2) has said of both sides. */
inline serve()
{
	if
	:: atomic { bad0 -> hear(0) }
	:: else -> skip
	fi;
	if
	:: atomic { s_end == OPEN && bad1 -> hear(1) }
	:: else -> skip
	fi;
	if
	:: s_end == OPEN && (in0 || pri0 || bad0 || out1) ->
		step(0, in0, pri0)
	:: else -> skip
	fi;
	if
	:: s_end == OPEN && (in1 || pri1 || bad1 || out0) ->
		step(1, in1, pri1)
	:: else -> skip
	fi;
	assert(moved || s_end != OPEN)
}

/* carry_on */
#if BROKEN == FIRST_FIN_ENDS
#define all_done (f[0].done || f[1].done)
#else
#define all_done (f[0].done && f[1].done)
#endif

inline carry_on()
{
	do
	:: d_step { s_end == OPEN && all_done -> s_end = EOF }
	:: s_end != OPEN -> break
	:: s_end == OPEN && !all_done ->
		at = CARRYING;
		if
		:: d_step { is_ready(0) || is_ready(1) ->
			in0 = is_in(0); out0 = is_out(0);
			pri0 = is_pri(0); bad0 = is_bad(0);
			in1 = is_in(1); out1 = is_out(1);
			pri1 = is_pri(1); bad1 = is_bad(1);
			at = RUNNING
		   }
		:: d_step { s_end = CUT; at = RUNNING }
		fi;
		serve();
		atomic {
			e = 0; moved = 0;
			in0 = 0; out0 = 0; pri0 = 0; bad0 = 0;
			in1 = 0; out1 = 0; pri1 = 0; bad1 = 0
		}
	od
}

/* hand_over: e is 0 if that was all. */
inline hand_over(side)
{
	do
	:: atomic { !pending(side) && f[side].eof -> e = 0; break }
	:: atomic { !pending(side) && !f[side].eof ->
		carry_fill(side, 1);
		if
		:: n > 0 -> skip
		:: n == 0 ->
			f[side].eof = (BROKEN == FIN_BY_ERRNO ->
			    s_error == EPIPE : had_fin[side]) ||
			    BROKEN == ZERO_AS_FIN;
			break
		:: else -> e = 0; break
		fi
	   }
	:: atomic { pending(side) ->
		carry_drain(side);
		if
		:: n > 0 -> skip
		:: n < 0 && e == EAGAIN -> at = HANDING_OVER
		:: else -> break
		fi
	   };
		if
		:: d_step { at == HANDING_OVER && gone[other] -> at = RUNNING };
			break
		:: d_step { at == HANDING_OVER && !gone[other] && room(other) ->
			at = RUNNING }
		:: d_step { at == HANDING_OVER && !writable(other) ->
			at = RUNNING; lost_patience = 1 };
			break
		:: d_step { at == HANDING_OVER -> at = RUNNING; s_end = CUT };
			break
		:: at == RUNNING -> skip
		fi
	od
}

/* settle: until all is acknowledged, or that cannot be any more. */
inline settle(side)
{
	at = SETTLING;
	if
	:: d_step { !unsent(other) || notices(other) -> at = RUNNING }
	:: d_step { unsent(other) && !gone[other] ->
		at = RUNNING; lost_patience = 1 }
	:: d_step { s_end = CUT; at = RUNNING }
	fi
}

/* last_words of a side that is gone. */
inline last_words(side)
{
	hand_over(side);
	if
	:: e == 0 ->
		if
		:: atomic { f[side].eof && !f[side].done && !gone[other] ->
			shut[other] = 1;
			f[side].done = 1
		   }
		:: else -> skip
		fi;
		if
		:: BROKEN != NO_SETTLING -> settle(side)
		:: else -> skip
		fi
	:: else -> skip
	fi
}

/*
 * report_exit: RST, but where both have sent FIN and there is nothing left to
 * drop.  close(2) would send RST as well for bytes that nobody has read.
 */
inline leave(side)
{
	if
	:: s_end == EOF -> assert(taken[side] == sent[side])
	:: s_end != EOF && BROKEN == NO_RESET -> shut[side] = 1
	:: else -> rst[side] = !(fin[side] && shut[side] && !unsent(side))
	fi
}

active proctype relay()
{
	byte e, side;
	short n;
	bit in0, out0, pri0, bad0, in1, out1, pri1, bad1, moved;

	run peer(0);
	run peer(1);
	/* pump */
	if
	:: atomic { gone[1] ->		/* and dial has seen it */
		socket_error(1, e);
		failed(1)
	   }
	:: carry_on()
	fi;
	if
	:: s_end >= RESET && BROKEN != NO_LAST_WORDS ->
		side = s_end - RESET;
		last_words(side)
	:: else -> skip
	fi;
	atomic {
		leave(0);
		leave(1);
		at = OVER
	}
	/* Who has not heard of the end never will. */
	has_heard(0) && has_heard(1);
	assert(knows(0) && knows(1))
}
