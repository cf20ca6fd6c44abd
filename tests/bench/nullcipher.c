/* A cipher that does nothing, under the programs as they are: preloaded, it
 * takes the place of libipsec-mb's jobs. Only to learn what the rest costs;
 * used by tests/bench/throughput for both ends. */
#include <dlfcn.h>
#include <string.h>

#include <intel-ipsec-mb.h>

static __thread IMB_JOB job;

static IMB_JOB *job_next(IMB_MGR *mgr)
{
	return &job;
}

static IMB_JOB *job_submit(IMB_MGR *mgr)
{
	memset(job.auth_tag_output, 0, job.auth_tag_output_len_in_bytes);
	job.status = IMB_STATUS_COMPLETED;
	return &job;
}

static IMB_JOB *job_none(IMB_MGR *mgr)
{
	return NULL;
}

void init_mb_mgr_auto(IMB_MGR *mgr, IMB_ARCH *arch)
{
	void (*real)(IMB_MGR *, IMB_ARCH *);

	*(void **)&real = dlsym(RTLD_NEXT, "init_mb_mgr_auto");
	real(mgr, arch);
	mgr->get_next_job = job_next;
	mgr->submit_job = job_submit;
	mgr->get_completed_job = mgr->flush_job = job_none;
}
