/* The life of a resumption ticket (RFC 5723), as a model for Spin.
 *
 * Three processes: the client (client/session/session.c over
 * client/store/cache.c), a gateway, and everything that can go wrong. Each
 * step of the client on the disk stands alone, so a kill or a loss of power
 * falls between any two of them. Proven, for every order of events:
 *
 *   once    a ticket with which the gateway made an SA is never presented
 *           again, nor one that is expired or that `down` or the gateway's
 *           DELETE voided
 *   kept    while the client runs it drops a ticket only where an IKE_AUTH
 *           left with it, where it is expired, voided, replaced by a newer
 *           one or on the disk, or where it was refused and a tunnel is up
 *   forged  a forged TICKET_NACK alone, with the gateway's own answer coming
 *           too, never leads to a full exchange
 *   live    from every state, once the world leaves us alone, a tunnel comes
 *           up and stays (the gateway has the very same SA)
 *
 * Time is not in the model: a time-out may come whenever it could matter, but
 * in a calm world only when nothing is under way. A new attempt has new SPIs,
 * so nothing of an old one reaches it. Tickets are small numbers, used again
 * when nobody has them: there is no bound on how long a story goes on.
 *
 * Each -DBREAK_... makes one mistake that the properties must catch; `run`
 * checks that they do.
 */
#define TICKETS 3 /* 1..3; 0: none */

mtype = { INIT, INIT_OK, RESUME, RESUME_OK, NACK, AUTH, AUTH_OK, AUTH_FAILED };
mtype = { NO_SA, OURS, TRIED };

/* message; ticket presented, or given */
chan to_gw = [1] of { mtype, byte };
chan to_cl = [1] of { mtype, byte };

bool calm;	      /* nothing bad happens from here on */
bool killed;	      /* kill -9, or no power: the client's next step */

/* the disk: what programs see, and what a loss of power leaves */
byte file, platter;

/* the client's memory */
byte held;	 /* ticket taken from the disk, or that the disk refused */
byte fresh;	 /* ticket that just came, not yet stored */
byte tries;	 /* attempts with held */
bool refused;	 /* held was: a hint */
bool hint;	 /* TICKET_NACK seen in this attempt */
bool renewing;	 /* resumption of the live SA, for a newer ticket */
bool put_failed; /* the disk is full */
bool risked;	 /* an IKE_AUTH left with held */
bool presenting; /* IKE_SESSION_RESUME is out, unanswered */
bool sa_up;

/* the gateway */
mtype gw_sa = NO_SA;	/* it has: the SA that is up, the one being made */
byte flying;		/* ticket in its answer */

/* what nobody in the model can see: for the properties */
bool used[TICKETS + 1];	   /* the gateway made an SA with it */
bool expired[TICKETS + 1];
bool voided[TICKETS + 1];
bool forged, lost, declined; /* in this attempt */

#define TUNNEL	   (sa_up && gw_sa == OURS)
#define QUIET	   (empty(to_gw) && empty(to_cl))
#define TIME_OUT   (!calm || QUIET)
/* What a person may ask of a running client, at any time. */
#define SUSPEND	   !calm
#define DOWN	   !calm
#define IS_FREE(t) (t != file && t != platter && t != held && t != fresh && \
		    t != flying && !to_gw?[RESUME, t] && !to_gw?[AUTH, t])

/* What is on its way is overtaken by the next. */
inline send(ch, m, t)
{
	if
	:: full(ch) -> ch?_, _
	:: empty(ch)
	fi;
	ch!m, t
}

/* What is said of a ticket that nobody has is nothing. */
inline tidy_one(t)
{
	if
	:: IS_FREE(t) ->
		used[t] = false;
		expired[t] = false;
		voided[t] = false
	:: else
	fi
}
inline tidy()
{
	d_step {
		tidy_one(1);
		tidy_one(2);
		tidy_one(3);
		put_failed = false
	}
}

/* ---- the gateway */

/* A ticket, or none. */
inline issue(t)
{
	if
	:: t = 0
	:: IS_FREE(1) -> t = 1
	:: !IS_FREE(1) && IS_FREE(2) -> t = 2
	:: !IS_FREE(1) && !IS_FREE(2) && IS_FREE(3) -> t = 3
	fi;
	used[t] = false;
	expired[t] = false;
	voided[t] = false
}

active proctype gateway() provided (!killed)
{
	mtype m;
	byte t;

end:	do
	:: atomic {
		to_gw?m, t ->
		flying = 0;
		if
		:: m == INIT -> send(to_cl, INIT_OK, 0)
		/* By value: it accepts a used one too; by a key that is gone,
		 * none. */
		:: m == RESUME -> send(to_cl, RESUME_OK, 0)
		:: m == RESUME ->
			declined = presenting;
			if
			:: send(to_cl, NACK, 0)
			:: skip
			fi
		:: m == AUTH ->
			if
			:: gw_sa = TRIED;
			   used[t] = true;
			   issue(flying);
			   send(to_cl, AUTH_OK, flying)
			/* e.g. it wants the other form of AUTH */
			:: t != 0 || !calm -> send(to_cl, AUTH_FAILED, 0)
			fi
		fi;
		used[0] = false;
		m = 0;
		t = 0
	   }
	od
}

/* ---- the disk, a step at a time (client/store/cache.c) */

/* ticket_cache_take: read, unlink. The folder is synced while the answer to
 * the first message is under way: before an IKE_AUTH can use the ticket. */
inline take()
{
	if
	:: file == 0
	:: file != 0 && (expired[file] || !calm) -> file = 0; platter = 0
	:: file != 0 && !expired[file] ->
		atomic {
			held = file;
			tries = 0;
			refused = false;
			risked = false
		};
#ifndef BREAK_LEAVES_IT_ON_DISK
		file = 0
#endif
	fi
}

/* ticket_cache_put: temporary file, fsync, rename, fsync of the folder. */
inline put(t)
{
	if
	:: file = t; platter = file
	:: !calm -> put_failed = true
	fi
}

/* ticket_cache_forget, by `down` or the gateway's DELETE. Who asked for it is
 * told when it is done. */
inline forget()
{
#ifdef BREAK_DOWN_KEEPS_IT
	voided[file] = true;
#else
	file = 0;
	platter = 0;
#endif
	d_step {
		voided[held] = true;
		voided[0] = false;
#ifndef BREAK_FORGETS_DISK_ONLY
		nothing_held()
#endif
	}
}

/* ---- the client */

/* Two silent attempts weigh like a refusal, but not against an SA that is up. */
#define MAY_DROP(t) (t == 0 || risked || expired[t] || voided[t] || \
		     file == t || \
		     (sa_up && (refused || (tries >= 2 && !renewing))))

inline nothing_held()
{
	held = 0;
	tries = 0;
	refused = false;
	risked = false
}

inline drop()
{
	d_step {
		assert(MAY_DROP(held));	/* kept */
		nothing_held()
	}
}

/* Back to the disk, where it is certain that it was not used. In memory until
 * the disk has it; never over a newer one. */
inline put_back()
{
	if
	:: held == 0
#ifndef BREAK_PUT_OVER_NEWER
	:: held != 0 && file != 0 -> atomic { nothing_held() }
	:: held != 0 && file == 0 ->
#else
	:: held != 0 ->
#endif
		assert(file == 0 || file == held);	/* kept: the newer one */
		put(held);
		if
		:: !put_failed -> atomic { nothing_held() }
#ifdef BREAK_DROPS_UNSTORED
		:: put_failed -> drop()
#else
		:: put_failed
#endif
		fi
	fi
}

/* A ticket that came in an authenticated message makes older ones history. In
 * memory until the disk has it. */
inline keep_fresh()
{
	if
	:: fresh == 0
	:: fresh != 0 ->
		put(fresh);
		d_step {
			nothing_held();
			if
			:: put_failed ->
#ifdef BREAK_DROPS_UNSTORED
				assert(MAY_DROP(fresh));	/* kept */
#else
				held = fresh;
#endif
				fresh = 0
			:: else -> fresh = 0
			fi
		};
		if
		:: put_failed -> file = 0; platter = 0
		:: !put_failed
		fi
	fi;
	tidy()
}

inline attempt_over()
{
	presenting = false;
	hint = false;
	forged = false;
	lost = false;
	declined = false
}

/* The process ends in good order. */
inline leave()
{
	d_step {
		assert(put_failed || MAY_DROP(held));	/* kept */
		nothing_held();
		sa_down();
		attempt_over();
		renewing = false
	}
}

/* New SPIs. */
inline new_attempt()
{
	attempt_over();
	if
	:: full(to_cl) -> to_cl?_, _
	:: empty(to_cl)
	fi;
	flying = 0;
	if
	:: gw_sa == TRIED -> gw_sa = NO_SA
	:: else
	fi
}

inline sa_down()
{
	sa_up = false;
	if
	:: gw_sa == OURS -> gw_sa = NO_SA
	:: else
	fi
}
inline sa_made()
{
	sa_up = true;
	if
	:: gw_sa == TRIED -> gw_sa = OURS
	:: else -> gw_sa = NO_SA
	fi
}

inline present()
{
	assert(!used[held]);	/* once */
	assert(!expired[held]);	/* once */
	assert(!voided[held]);	/* once */
	tries = (tries < 2 -> tries + 1 : tries);
	new_attempt();
	presenting = true;
	send(to_gw, RESUME, held)
}

/* The next answer. */
inline receive()
{
	to_cl?m, fresh;
	flying = 0;
	if
	:: m == AUTH_OK
	:: else -> fresh = 0
	fi
}

#ifdef BREAK_NO_TRIES_LIMIT
#define CAN_RESUME (held != 0 && !refused)
#else
#define CAN_RESUME (held != 0 && !refused && tries < 2)
#endif

active proctype client()
{
	mtype m;

	{
	skip;
off:	skip; tidy();		/* in time, somebody says `up` */

ask:	atomic {
		attempt_over();
		renewing = false;
		sa_down()
	};
	if
	:: !calm -> goto waiting	/* no path */
	:: skip
	fi;
	if
	:: held == 0 -> take()
	:: held != 0 -> atomic { tries = 0; refused = false }
	fi;

begin:	skip;	/* of one attempt */
	tidy();
	atomic {
		if
#ifndef BREAK_NO_EXPIRY_CHECK
		:: held != 0 && expired[held] ->
			nothing_held();
			goto begin
		:: CAN_RESUME && !expired[held] ->
#else
		:: CAN_RESUME ->
#endif
			if
			:: present(); goto resuming
			/* too large for the path, a suite we lost */
			:: skip
			fi
		:: held != 0 && !CAN_RESUME && !expired[held] && renewing ->
			goto not_renewed
		:: held == 0 && renewing -> goto not_renewed
		:: (held == 0 || !CAN_RESUME) && !renewing ->
			goto full_exchange
		fi
	};
#ifdef BREAK_UNPRESENTABLE_CLOSES
	leave();
	goto off;
#endif
	refused = true;
	goto begin;

resuming:
#ifndef BREAK_NO_FSYNC
	platter = file;	/* ticket_cache_sync */
#endif
	do
	:: atomic {
		nempty(to_cl) ->
		receive();
		if
		:: m == RESUME_OK ->
			m = 0;
			attempt_over();
			risked = true;
			send(to_gw, AUTH, held);
			goto authenticating
		:: m == NACK ->
			m = 0;
			hint = true
#ifdef BREAK_BELIEVES_NACK
			; goto resume_failed
#endif
		:: else -> m = 0
		fi
	   }
	/* Meanwhile, on the SA that is up: a ticket comes, */
	:: atomic { !calm && renewing && TUNNEL -> issue(fresh) };
	   if
	   :: fresh != 0 -> file = fresh; platter = file; fresh = 0
	   :: fresh == 0
	   fi
	/* it goes, and this attempt is the way back, */
	:: atomic { !calm && renewing -> renewing = false; sa_down() }
	/* or it moves to another path after all, */
	:: !calm && renewing && TUNNEL -> goto not_renewed
	/* or the ticket becomes void by a rekey or by DELETE. */
	:: !calm && renewing && TUNNEL ->
	   forget();
#ifndef BREAK_FORGETS_DISK_ONLY
	   if
	   :: TUNNEL -> gw_sa = NO_SA; goto ask
	   :: goto not_renewed
	   fi
#endif
	:: hint && QUIET -> goto resume_failed	/* waited long enough */
	:: !hint && TIME_OUT -> goto resume_failed
	:: SUSPEND ->
#ifndef BREAK_SUSPEND_LOSES_IT
		put_back();
#endif
		leave();
		goto off
	:: DOWN -> forget(); leave(); goto off
	od;

resume_failed:
	atomic {
		assert(!(forged && hint && !lost && !declined)); /* forged */
		if
		:: hint -> refused = true
		:: !hint
		fi;
		attempt_over()
	};
#ifdef BREAK_DELETES_ON_NACK
	if
	:: refused -> drop()
	:: !refused
	fi;
#endif
	goto begin;

authenticating:	/* with the ticket */
	do
	:: atomic {
		nempty(to_cl) ->
		receive();
		if
		:: m == AUTH_OK ->
			m = 0;
			sa_made();
			renewing = false;
			nothing_held();	/* spent */
			goto new_ticket
		:: m == AUTH_FAILED -> m = 0; goto auth_failed
		:: else -> m = 0
		fi
	   }
	:: TIME_OUT -> goto auth_failed
	:: SUSPEND ->
#ifdef BREAK_RETURNS_AFTER_AUTH
		put_back();
#endif
		leave();
		goto off
	:: DOWN -> forget(); leave(); goto off
	od;

auth_failed:	/* it may have been used */
#ifdef BREAK_RETURNS_AFTER_AUTH
	put_back();
#endif
	drop();
	goto begin;

not_renewed:	/* the SA that was up still is */
	atomic { attempt_over(); m = 0 };
#ifdef BREAK_RENEWAL_LOSES_IT
	drop();
#endif
	if
	:: held != 0 && refused -> drop()
	:: else -> put_back()
	fi;
	renewing = false;
	goto up;

full_exchange:
	atomic {
		new_attempt();
		send(to_gw, INIT, 0)
	};
	do
	:: atomic {
		nempty(to_cl) ->
		receive();
		if
		:: m == INIT_OK -> m = 0; send(to_gw, AUTH, 0)
		:: m == AUTH_OK -> m = 0; sa_made(); goto new_ticket
		:: m == AUTH_FAILED -> m = 0; goto full_failed
		:: else -> m = 0
		fi
	   }
	:: TIME_OUT -> goto full_failed
	:: SUSPEND -> put_back(); leave(); goto off
	:: DOWN -> forget(); leave(); goto off
	od;

full_failed:
	attempt_over();
	put_back();
	if
	:: goto waiting
	:: leave(); goto off	/* not persistent */
	fi;

new_ticket:
	attempt_over();
	/* Why there was a full exchange: refused, or met with silence. */
	drop();
	keep_fresh();

up:	do
	/* Dead peer detection; may be wrong. */
#ifdef BREAK_NO_LIVENESS_CHECK
	:: !calm -> goto ask
	:: calm
#else
	:: !calm || !TUNNEL -> goto ask
	:: calm && TUNNEL
#endif
	/* a ticket: asked for, or pushed */
	:: atomic { !calm && TUNNEL -> issue(fresh) };
	   keep_fresh()
	/* a rekey, which voids the one before */
	:: !calm && TUNNEL ->
	   forget();
	   atomic {
		if
		:: TUNNEL -> issue(fresh)
		:: !TUNNEL
		fi
	   };
	   keep_fresh()
	/* resumption of the live SA, when it gives no ticket otherwise */
	:: !calm && TUNNEL && file != 0 && held == 0 ->
		take();
		renewing = true;
		goto begin
	/* the gateway's DELETE */
	:: atomic { !calm && TUNNEL -> gw_sa = NO_SA };
	   forget();
	   goto ask
	/* a late datagram */
	:: atomic { nempty(to_cl) -> receive(); fresh = 0; m = 0 }
	:: SUSPEND -> put_back(); leave(); goto off
	:: DOWN ->
		forget();
		if
		:: atomic { TUNNEL -> gw_sa = NO_SA }
		:: skip
		fi;
		leave();
		goto off
	od;

waiting:	skip;
	tidy();
	do
#ifdef BREAK_NO_RETRY
	:: !calm -> goto ask
	:: calm
#else
	:: goto ask
#endif
	:: SUSPEND -> put_back(); leave(); goto off
	:: DOWN -> forget(); leave(); goto off
	od
	} unless {
		atomic {
			killed ->
			killed = false;
			nothing_held();
			fresh = 0;
			sa_down();
			renewing = false;
			m = 0;
				attempt_over();
			if
			:: file = platter	/* no power */
			:: skip			/* kill -9 */
			fi;
			goto off
		}
	}
}

/* ---- everything that can go wrong */

active proctype world() provided (!killed)
{
	do
	:: atomic { !calm -> killed = true }
	:: atomic { !calm && nempty(to_gw) -> to_gw?_, _; lost = presenting }
	:: atomic {
		!calm && nempty(to_cl) ->
		to_cl?_, _;
		flying = 0;
		lost = presenting
	   }
	/* On the path, and first to answer; an unprotected message. */
	:: atomic {
		!calm && empty(to_cl) && presenting && !forged ->
		to_cl!NACK, 0;
		forged = true
	   }
	:: atomic { !calm -> gw_sa = NO_SA }	/* restarted */
	:: atomic { !calm && held != 0 -> expired[held] = true }
	:: atomic { !calm && platter != file -> platter = file }
	:: atomic { !calm -> calm = true; break }
	od
}

ltl live { [] (calm -> <> [] TUNNEL) }
