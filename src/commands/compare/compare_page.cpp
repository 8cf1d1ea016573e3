// One card at a time goes from the table to the file.
#include "compare_page.h"

#include "base/counted.h"
#include "base/try.h"
#include "commands/page_failures.h"
#include "commands/pair_pictures.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"
#include "imgmill/report/pair_page.h"
#include "imgmill/report/report_page.h"

namespace imgmill {

void ComparePage::Add(const PairEntry& entry, const PairPictureFiles& pictures) {
  if (!worst_.Add(shown_.size(), entry.measured.figures)) return;
  shown_.Add({entry, pictures[0], pictures[1], pictures[2]});
}

Status ComparePage::Write(const std::string& file, const CompareSums& sums, const FailureTable& failed,
                          const std::vector<std::string>& facts) const {
  const std::string folder = FolderOfPage(file);
  const std::vector<uint64_t> rows = worst_.Rows();
  const auto figures_of = [this](const auto& value_of) {
    std::vector<std::pair<std::string, std::string>> figures;
    for (const Metric metric : plan_.columns)
      figures.emplace_back(InfoOf(metric).name, FigureText(metric, value_of(metric)));
    return figures;
  };
  return WriteNamedFile(file, [&](const TextSink& put) -> Status {
    PairPageHead head;
    head.outcome = Counted(sums.pairs, "pair compared", "pairs compared") + ", " +
                   (failed.size() > 0 ? std::to_string(failed.size()) + " failed, " : "") +
                   std::to_string(sums.equal) + " equal, the worst by " +
                   std::string(InfoOf(plan_.columns.front()).name) + " first";
    head.facts = facts;
    head.means = figures_of([&](Metric metric) { return sums.Mean(metric); });
    head.heat_from = "0";
    head.heat_to = std::to_string(static_cast<int>(PairPictures::kBrightest)) + " of 255 or more";
    head.not_shown = sums.pairs - rows.size();
    head.failed = TRY(PageFailuresOf(failed));
    TRY(put(PairPageBegin(head)));
    for (const uint64_t row : rows) {
      const Shown shown = TRY(shown_.At(row));
      const PairFigures& figures = shown.entry.measured.figures;
      PairCard card;
      card.name = PrintablePath(shown.entry.file.path);
      card.partner = PrintablePath(shown.entry.partner);
      card.link = LinkFrom(folder, shown.entry.file.path);
      card.partner_link = LinkFrom(folder, shown.entry.partner);
      card.why = plan_.Why(figures);
      card.figures = figures_of([&](Metric metric) { return figures[metric]; });
      if (figures.alpha_differs() && !plan_.set().Has(Metric::kAlphaMax))
        card.figures.emplace_back("alpha-max", FigureText(Metric::kAlphaMax, figures[Metric::kAlphaMax]));
      if (plan_.align) {
        const Shift& shift = shown.entry.measured.shift;
        card.figures.emplace_back("shift", shift.reliable
                                               ? std::to_string(shift.dx) + ", " + std::to_string(shift.dy)
                                               : "none reliable");
      }
      card.image = shown.image;
      card.other = shown.other;
      card.heat = shown.heat;
      TRY(put(PairPageCard(card)));
    }
    return put(PairPageEnd());
  });
}

}  // namespace imgmill
