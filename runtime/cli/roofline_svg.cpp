//===-- roofline_svg.cpp - the roofline as a drawing -*- C++ -*-===//
// Part of RLX, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//===----------------------------------------------------------------------===//
// Both axes are logarithmic: a memory bandwidth is a slope, a peak a level.
//===----------------------------------------------------------------------===//
#include "bench.h"

#include <algorithm>
#include <cmath>

namespace rlx::cli {

// Of the whole drawing and of the plot in it, in pixels.
constexpr double width = 1080, height = 560;
constexpr double left = 80, right = 660, top = 60, bottom = 480;
constexpr double legendLeft = 700;
static const char *const Colours[] = {"#1f77b4", "#d62728", "#2ca02c", "#9467bd",
                                      "#ff7f0e", "#17becf", "#8c564b", "#e377c2"};

namespace {
/// A kind of stage of one test.
struct Point {
  const Measurement *test;
  const KindProfile *kind;
  size_t number;
};

class Drawing {
public:
  explicit Drawing(const BenchResults &results) : results(results), limits(*results.limits) {
    for (const Measurement &test : results.tests)
      for (const KindProfile &kind : test.kinds)
        if (kind.intensity() > 0)
          points.push_back({&test, &kind, points.size() + 1});
    chooseRange();
  }
  std::string draw(const std::string &title);

private:
  void chooseRange();
  void axes();
  void roofs();
  void drawPoints();
  void legend();
  void mark(double x, double y, const Point &point, double radius);
  void line(double x1, double y1, double x2, double y2, const std::string &style);
  void text(double x, double y, const std::string &value, const std::string &style = "");
  std::string colourOf(const std::string &kind);
  double placeX(double intensity) const {
    return left + (std::log10(intensity) - lowX) / (highX - lowX) * (right - left);
  }
  double placeY(double rate) const {
    return bottom - (std::log10(rate) - lowY) / (highY - lowY) * (bottom - top);
  }

  const BenchResults &results;
  const MachineLimits &limits;
  std::vector<Point> points;
  std::vector<std::string> kinds;
  double lowX = 0, highX = 0, lowY = 0, highY = 0; ///< decades; y in GOP/s
  std::string svg;
};
} // namespace

static std::string number(double value) { return formatFixed(value, 1); }

static std::string escaped(const std::string &text) {
  std::string result;
  for (char c : text)
    result += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
  return result;
}

/// "10", "0.1", "1000".
static std::string powerOfTen(double exponent) {
  return formatFixed(std::pow(10, exponent), exponent < 0 ? static_cast<int>(-exponent) : 0);
}

void Drawing::chooseRange() {
  double minX = 1, maxX = 1, minY = 1, maxY = 1;
  for (const PeakSample &peak : limits.peaks) {
    maxX = std::max(maxX, peak.operationsPerSecond / limits.best().bytesPerSecond);
    maxY = std::max(maxY, peak.operationsPerSecond / 1e9);
  }
  for (const Point &point : points) {
    minX = std::min(minX, point.kind->intensity());
    maxX = std::max(maxX, point.kind->intensity());
    minY = std::min(minY, point.kind->operationsPerSecond() / 1e9);
    maxY = std::max(maxY, point.kind->operationsPerSecond() / 1e9);
  }
  lowX = std::floor(std::log10(minX));
  highX = std::max(lowX + 1, std::ceil(std::log10(maxX)));
  lowY = std::floor(std::log10(minY));
  highY = std::max(lowY + 1, std::ceil(std::log10(maxY)));
}

void Drawing::line(double x1, double y1, double x2, double y2, const std::string &style) {
  svg += "<line x1=\"" + number(x1) + "\" y1=\"" + number(y1) + "\" x2=\"" + number(x2) +
         "\" y2=\"" + number(y2) + "\" " + style + "/>\n";
}

void Drawing::text(double x, double y, const std::string &value, const std::string &style) {
  svg += "<text x=\"" + number(x) + "\" y=\"" + number(y) + "\" " + style + ">" + escaped(value) +
         "</text>\n";
}

std::string Drawing::colourOf(const std::string &kind) {
  size_t index = static_cast<size_t>(std::find(kinds.begin(), kinds.end(), kind) - kinds.begin());
  if (index == kinds.size())
    kinds.push_back(kind);
  return Colours[index % std::size(Colours)];
}

void Drawing::axes() {
  const std::string grid = "stroke=\"#e4e4e4\"", minor = "stroke=\"#f3f3f3\"";
  for (double decade = lowX; decade <= highX; ++decade) {
    for (int i = 2; i < 10 && decade < highX; ++i) {
      double x = placeX(i * std::pow(10, decade));
      line(x, top, x, bottom, minor);
    }
    double x = placeX(std::pow(10, decade));
    line(x, top, x, bottom, grid);
    text(x, bottom + 18, powerOfTen(decade), "text-anchor=\"middle\"");
  }
  for (double decade = lowY; decade <= highY; ++decade) {
    for (int i = 2; i < 10 && decade < highY; ++i) {
      double y = placeY(i * std::pow(10, decade));
      line(left, y, right, y, minor);
    }
    double y = placeY(std::pow(10, decade));
    line(left, y, right, y, grid);
    text(left - 8, y + 4, powerOfTen(decade), "text-anchor=\"end\"");
  }
  line(left, bottom, right, bottom, "stroke=\"#444\"");
  line(left, top, left, bottom, "stroke=\"#444\"");
  text((left + right) / 2, bottom + 42, "operations per byte of weights, keys and values",
       "text-anchor=\"middle\"");
  text(24, (top + bottom) / 2, "GOP/s",
       "text-anchor=\"middle\" transform=\"rotate(-90 24 " + number((top + bottom) / 2) + ")\"");
}

void Drawing::roofs() {
  const double bandwidth = limits.best().bytesPerSecond / 1e9;
  const std::string style = "stroke=\"#222\" stroke-width=\"1.6\"";
  double highest = 0;
  for (const PeakSample &peak : limits.peaks) {
    double rate = peak.operationsPerSecond / 1e9;
    highest = std::max(highest, rate);
    line(placeX(rate / bandwidth), placeY(rate), right, placeY(rate), style);
    text(right - 4, placeY(rate) - 5, peak.name + " " + formatFixed(rate, 0) + " GOP/s",
         "text-anchor=\"end\" fill=\"#222\"");
  }
  // From where the slope enters the plot to where it meets the highest peak.
  if (highest == 0)
    highest = std::pow(10, highY);
  double begin = std::max(std::pow(10, lowX), std::pow(10, lowY) / bandwidth);
  double x1 = placeX(begin), y1 = placeY(begin * bandwidth);
  double x2 = placeX(highest / bandwidth), y2 = placeY(highest);
  line(x1, y1, x2, y2, style);
  double angle = std::atan2(y2 - y1, x2 - x1) * 180 / std::acos(-1.0);
  double x = x1 + 0.08 * (x2 - x1), y = y1 + 0.08 * (y2 - y1) - 7;
  text(x, y, "memory " + number(bandwidth) + " GB/s",
       "fill=\"#222\" transform=\"rotate(" + number(angle) + " " + number(x) + " " + number(y) +
           ")\"");
}

/// A disc for prompts, a square for single tokens, with the number of its legend.
void Drawing::mark(double x, double y, const Point &point, double radius) {
  const std::string fill =
      "fill=\"" + colourOf(point.kind->kind) + "\" fill-opacity=\"0.85\" stroke=\"#fff\"";
  if (point.test->prompt)
    svg += "<circle cx=\"" + number(x) + "\" cy=\"" + number(y) + "\" r=\"" + number(radius) +
           "\" " + fill + "/>\n";
  else
    svg += "<rect x=\"" + number(x - radius) + "\" y=\"" + number(y - radius) + "\" width=\"" +
           number(2 * radius) + "\" height=\"" + number(2 * radius) + "\" " + fill + "/>\n";
  text(x, y + 3.5, std::to_string(point.number),
       "text-anchor=\"middle\" font-size=\"10\" fill=\"#fff\"");
}

void Drawing::drawPoints() {
  std::vector<Point> bySize = points; // small ones on top
  std::sort(bySize.begin(), bySize.end(), [](const Point &a, const Point &b) {
    return std::pair(b.kind->share, a.number) < std::pair(a.kind->share, b.number);
  });
  for (const Point &point : bySize)
    mark(placeX(point.kind->intensity()), placeY(point.kind->operationsPerSecond() / 1e9), point,
         7 + 11 * std::sqrt(point.kind->share));
}

void Drawing::legend() {
  double y = top + 4;
  for (const Measurement &test : results.tests) {
    text(legendLeft, y, test.test + ": " + formatFixed(test.median(), 1) + " tokens/s",
         "font-weight=\"bold\"");
    text(legendLeft + 250, y, "time", "text-anchor=\"end\" fill=\"#666\"");
    text(legendLeft + 350, y, "of its limit", "text-anchor=\"end\" fill=\"#666\"");
    std::string others;
    for (const KindProfile &kind : test.kinds) {
      std::string share = number(100 * kind.share) + " %";
      auto point = std::find_if(points.begin(), points.end(),
                                [&](const Point &other) { return other.kind == &kind; });
      if (point == points.end()) {
        if (kind.share >= 0.001)
          others += (others.empty() ? "" : ", ") + kind.kind + " " + share;
        continue;
      }
      y += 20;
      mark(legendLeft + 8, y - 4, *point, 8);
      text(legendLeft + 24, y, kind.kind);
      text(legendLeft + 250, y, share, "text-anchor=\"end\"");
      text(legendLeft + 350, y, formatFixed(100 * kind.limitShare(limits), 0) + " %",
           "text-anchor=\"end\"");
    }
    // What has no place on the axes, in lines that fit.
    for (size_t begin = 0; begin < others.size();) {
      size_t end = others.size();
      if (end - begin > 56) {
        end = others.rfind(", ", begin + 56);
        end = end == others.npos || end <= begin ? others.size() : end + 2;
      }
      y += 18;
      text(legendLeft, y, others.substr(begin, end - begin), "fill=\"#666\" font-size=\"11\"");
      begin = end;
    }
    y += 30;
  }
}

std::string Drawing::draw(const std::string &title) {
  size_t rows = 0;
  for (const Measurement &test : results.tests)
    rows += test.kinds.size() + 3;
  const double tall = std::max(height, top + 20 * static_cast<double>(rows));
  svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + number(width) + "\" height=\"" +
        number(tall) + "\" viewBox=\"0 0 " + number(width) + " " + number(tall) +
        "\" font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" "
        "fill=\"#fff\"/>\n";
  text(left, 32, "Roofline: " + title, "font-size=\"16\" font-weight=\"bold\"");
  axes();
  roofs();
  drawPoints();
  legend();
  return svg + "</svg>\n";
}

std::string rooflineSvg(const std::string &title, const BenchResults &results) {
  return Drawing(results).draw(title);
}

} // namespace rlx::cli
