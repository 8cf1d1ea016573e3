// The table of architectures that are graphs, one line each.
#include "networks/graph_architecture.h"

namespace imgmill {

extern const GraphArchitecture& kArtCnn;
extern const GraphArchitecture& kBsrn;
extern const GraphArchitecture& kCarn;
extern const GraphArchitecture& kDnCnn;
extern const GraphArchitecture& kDrUNet;
extern const GraphArchitecture& kEdsr;
extern const GraphArchitecture& kEfdn;
extern const GraphArchitecture& kFbcnn;
extern const GraphArchitecture& kImdn;
extern const GraphArchitecture& kImdnPlus;
extern const GraphArchitecture& kMmRealSr;
extern const GraphArchitecture& kMoesr;
extern const GraphArchitecture& kMosr;
extern const GraphArchitecture& kNafNet;
extern const GraphArchitecture& kPlksr;
extern const GraphArchitecture& kRcan;
extern const GraphArchitecture& kRealCugan;
extern const GraphArchitecture& kRealPlksr;
extern const GraphArchitecture& kRfdn;
extern const GraphArchitecture& kRlfn;
extern const GraphArchitecture& kRrdbNet;
extern const GraphArchitecture& kSafmn;
extern const GraphArchitecture& kSafmnPp;
extern const GraphArchitecture& kSeemoRe;
extern const GraphArchitecture& kSpan;
extern const GraphArchitecture& kSrvggCompact;
extern const GraphArchitecture& kSwiftSrgan;

std::span<const GraphArchitecture* const> GraphArchitectures() {
  // One a line.
  // clang-format off
  static const GraphArchitecture* const table[] = {
      &kArtCnn,
      &kBsrn,
      &kCarn,
      &kDnCnn,
      &kDrUNet,
      &kEdsr,
      &kEfdn,
      &kFbcnn,
      &kImdn,
      &kImdnPlus,
      &kMmRealSr,
      &kMoesr,
      &kMosr,
      &kNafNet,
      &kPlksr,
      &kRcan,
      &kRealCugan,
      &kRealPlksr,
      &kRfdn,
      &kRlfn,
      &kRrdbNet,
      &kSafmn,
      &kSafmnPp,
      &kSeemoRe,
      &kSpan,
      &kSrvggCompact,
      &kSwiftSrgan,
  };
  // clang-format on
  return table;
}

}  // namespace imgmill
