#pragma once
// A sweep as a Slurm job array over a directory that all hosts share: task k runs the k-th group of points, one after the other or
// --jobs at a time, as `wafersim sweep --task`.

#include <string>
#include <vector>

#include "tools/sweep/sweep_directory.h"

namespace wafersim::tools {

struct SlurmOptions {
  std::string partition, time, memory;  // as sbatch's --partition, --time, --mem; empty: the cluster's
  int points_per_task = 1;
  int jobs = 1;  // processes of a task
  std::string cache;
};

// "0,3-5,9" of ascending numbers.
std::string array_text(const std::vector<int>& tasks);
// Points of a task; none beyond the last.
std::vector<SweepPoint> points_of_task(const std::vector<SweepPoint>& points, int task, int points_per_task);
// Tasks that have a point to run.
std::vector<int> tasks_to_run(const SweepDirectory& directory, const std::vector<SweepPoint>& points, int points_per_task);
// The job's script, written to slurm/job.sh in the directory.
std::string job_script(const SweepDirectory& directory, const std::vector<int>& tasks, const SlurmOptions& options);

// Submits the script; the job's number. Error(config) with what sbatch says when it refuses.
std::string submit(const SweepDirectory& directory, const std::string& script);
// Returns when no task of the job is left in the queue, however they ended; progress on stderr.
void wait_for_job(const SweepDirectory& directory, const std::vector<SweepPoint>& points, const std::string& job);

}  // namespace wafersim::tools
