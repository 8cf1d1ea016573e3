// Threads are started when they are first needed, and wait until the process ends.
#include "work_crew.h"

#include <algorithm>
#include <system_error>

namespace imgmill {

WorkCrew& WorkCrew::Get() {
  static WorkCrew crew;
  return crew;
}

WorkCrew::~WorkCrew() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  called_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void WorkCrew::SetThreads(int threads) {
  const std::lock_guard lock(mutex_);
  wanted_ = threads;
}

int WorkCrew::threads() const {
  const std::lock_guard lock(mutex_);
  return All();
}

int WorkCrew::All() const {
  return wanted_ > 0 ? wanted_ : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

size_t WorkCrew::Allowed() const {
  const int left = All() - static_cast<int>(members_);
  return static_cast<size_t>(std::max(1, left));
}

void WorkCrew::Join() {
  const std::lock_guard lock(mutex_);
  ++members_;
}

void WorkCrew::Call(Member& member) {
  {
    const std::lock_guard lock(mutex_);
    calls_.push_back(&member);
    const size_t idle = threads_.size() - helping_.size();
    if (calls_.size() > idle && threads_.size() < Allowed()) {
      try {
        threads_.emplace_back([this] { Work(); });
      } catch (const std::system_error&) {  // fewer, or none, will do
      }
    }
  }
  called_.notify_one();
}

void WorkCrew::Leave(Member& member) {
  {
    std::unique_lock lock(mutex_);
    std::erase(calls_, &member);
    helped_.wait(lock,
                 [&] { return std::find(helping_.begin(), helping_.end(), &member) == helping_.end(); });
    --members_;
  }
  called_.notify_all();  // one more may help the others
}

void WorkCrew::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    called_.wait(lock, [&] { return over_ || (!calls_.empty() && helping_.size() < Allowed()); });
    if (over_) return;
    Member* const member = calls_.front();
    calls_.pop_front();
    helping_.push_back(member);
    lock.unlock();
    member->Help();
    lock.lock();
    helping_.erase(std::find(helping_.begin(), helping_.end(), member));
    helped_.notify_all();
  }
}

}  // namespace imgmill
