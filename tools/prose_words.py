"""Word lists of make_prose.py, written for it. A sentence is one of the language's patterns, with a phrase put in for
$S who, $V does, $O what, $P where, $T when, $C a clause, $A an adverb, $N a number."""

LANGUAGES = {
    "en": {
        "S": "the lighthouse keeper|a young carpenter|the night train's conductor|my neighbour|the village council|"
             "an old cartographer|the bakery on the corner|the ferry's crew|a patient teacher|the museum|the tailor|"
             "a retired sailor|the district court|the school orchestra|a travelling merchant|the new librarian|"
             "the gardener|our engineer|the harbour office|a curious child|the physician|the weather station|"
             "the printing house|an unknown painter|the committee|the clockmaker|a small company|the beekeeper|"
             "the research group|the postman",
        "V": "repairs|describes|sells|forgets|measures|paints|copies|collects|studies|hides|carries|translates|"
             "inspects|borrows|catalogues|photographs|explains|restores|orders|counts|compares|rejects|prepares|"
             "protects|replaces|examines|remembers|delivers|improves|observes",
        "O": "the wooden bridge|seven boxes of tea|a map of the northern coast|the broken compass|the annual report|"
             "an unfinished letter|three brass keys|the cellar's humidity|a collection of seashells|the town's archive|"
             "the orchard behind the mill|a bicycle without brakes|the first draft of the contract|the tide tables|"
             "a recipe for plum cake|the telescope|the price of copper|a proof that nobody has checked|"
             "the foundation of the tower|two barrels of vinegar|the list of passengers|an early steam engine|"
             "the acoustics of the concert hall|a box of photographs|the migration of cranes|the signal lamps|"
             "a theory of colours|the spare parts|every page of the ledger|the water supply",
        "P": "near the harbour|in the back room|on the other side of the river|behind the railway station|"
             "under the stone arch|along the canal|at the edge of the forest|between two warehouses|in the valley|"
             "above the workshop|inside the old observatory|at the foot of the hill|on the second floor|"
             "across the market square|outside the city walls",
        "T": "on Monday morning|every autumn|shortly before midnight|in the spring of 1871|after a long silence|"
             "during the lunch break|twice a year|as soon as the snow melts|in the second week of May|at dawn|"
             "before the exhibition opens|late in the evening|since last summer|from time to time|without warning",
        "C": "because the river has risen again|although nobody asked for it|so that the roof can dry|"
             "while the others are still asleep|if the wind turns to the east|as the instructions recommend|"
             "which surprised the whole street|until the money runs out|since the law was changed|"
             "even though the light is poor|and the costs are shared by everyone|but the results remain uncertain|"
             "whenever a ship comes in|before the inspector arrives|which is harder than it looks",
        "A": "carefully|reluctantly|once more|by hand|with great patience|almost silently|for the last time|"
             "in good order|too late|with a borrowed ladder|without hesitation|as usual",
        "patterns": "$S $V $O $P.|$S $V $O, $C.|$T, $S $V $O.|$T, $S $A $V $O $P.|$S $A $V $O.|"
                    "$S $V $O $P, $C.|Does $S know that $S $V $O?|"
                    "$S $V $O; $S $V $O $P.|\"$S $V $O,\" says $S.|$N times a week $S $V $O, $C.|$T, $S $V $O $P, $C.|"
                    "In the end, $S $V $O $A.|Nobody notices that $S $V $O $P!",
    },
    "de": {
        "S": "der Leuchtturmwärter|die junge Tischlerin|der Bürgermeister|meine Nachbarin|das Heimatmuseum|"
             "eine geduldige Lehrerin|der Uhrmacher|die Druckerei|das Hafenamt|ein neugieriges Kind|der Förster|"
             "die Forschungsgruppe|ein pensionierter Kapitän|die Wetterwarte|der Gärtner|das Bezirksgericht",
        "V": "repariert|beschreibt|verkauft|vergisst|misst|übermalt|sammelt|untersucht|versteckt|überträgt|prüft|"
             "fotografiert|erklärt|bestellt|zählt|vergleicht|schützt|ersetzt|beobachtet|verbessert",
        "O": "die hölzerne Brücke|sieben Kisten Tee|eine Karte der Nordküste|den zerbrochenen Kompass|"
             "den Jahresbericht|einen unvollendeten Brief|drei Messingschlüssel|die Luftfeuchtigkeit im Gewölbekeller|"
             "eine Muschelsammlung|das Stadtarchiv|den Obstgarten hinter der Mühle|ein Fahrrad ohne Bremsen|"
             "die Gezeitentafeln|das Fernrohr|den Kupferpreis|die Straßenbahnhaltestelle|das Grundbuch|"
             "die Kühlwasserversorgung|den Lichtschutzfaktor|die Größe der Öfen",
        "P": "am Hafen|im Hinterzimmer|jenseits des Flusses|hinter dem Bahnhof|unter dem steinernen Bogen|"
             "am Waldrand|zwischen zwei Lagerhäusern|über der Werkstatt|im zweiten Stock|außerhalb der Stadtmauer",
        "T": "am Montagmorgen|jeden Herbst|kurz vor Mitternacht|im Frühjahr 1871|nach langem Schweigen|"
             "während der Mittagspause|zweimal im Jahr|seit dem letzten Sommer|gelegentlich|ohne Vorwarnung",
        "C": "weil der Fluss wieder gestiegen ist|obwohl niemand darum gebeten hat|damit das Dach trocknen kann|"
             "während die anderen noch schlafen|wenn der Wind nach Osten dreht|was die ganze Straße überraschte|"
             "bis das Geld ausgeht|seit das Gesetz geändert wurde|aber die Ergebnisse bleiben ungewiss",
        "A": "sorgfältig|widerwillig|noch einmal|von Hand|mit großer Geduld|fast lautlos|zum letzten Mal|zu spät",
        "patterns": "$S $V $O $P.|$S $V $O, $C.|$T $V $S $O.|$T $V $S $A $O $P.|$S $V $A $O.|"
                    "$S $V $O $A $P, $C.|$V $S $O $P?|"
                    "„$S $V $O“, sagt $S.|$N-mal im Jahr $V $S $O, $C.",
    },
    "fr": {
        "S": "le gardien du phare|une jeune menuisière|le maire|ma voisine|le musée|l’horloger|l’imprimerie|"
             "un enfant curieux|la station météo|le jardinier|un capitaine à la retraite|le tribunal",
        "V": "répare|décrit|vend|oublie|mesure|repeint|rassemble|étudie|cache|traduit|vérifie|photographie|explique|"
             "compare|protège|remplace",
        "O": "le pont de bois|sept caisses de thé|une carte de la côte nord|la boussole cassée|le rapport annuel|"
             "une lettre inachevée|trois clés de laiton|l’humidité de la cave|une collection de coquillages|"
             "les archives de la ville|le verger derrière le moulin|un vélo sans freins|le télescope|"
             "le prix du cuivre|l’œuvre d’un élève",
        "P": "près du port|dans l’arrière-boutique|de l’autre côté du fleuve|derrière la gare|au bord du canal|"
             "à la lisière de la forêt|au deuxième étage|hors des remparts",
        "T": "lundi matin|chaque automne|peu avant minuit|au printemps 1871|après un long silence|deux fois par an|"
             "depuis l’été dernier|sans prévenir",
        "C": "parce que le fleuve est monté|bien que personne ne l’ait demandé|pendant que les autres dorment|"
             "si le vent tourne à l’est|ce qui étonne toute la rue|jusqu’à ce que l’argent manque|"
             "mais les résultats restent incertains",
        "A": "soigneusement|à contrecœur|encore une fois|à la main|presque sans bruit|trop tard",
        "patterns": "$S $V $O $P.|$S $V $O, $C.|$T, $S $V $O.|$S $V $A $O $P.|« $S $V $O », dit $S.|"
                    "Est-ce que $S $V $O\u00a0?|$T, $S $V $O $P, $C.",
    },
    "es": {
        "S": "el farero|una joven carpintera|el alcalde|mi vecina|el museo|el relojero|la imprenta|un niño curioso|"
             "la estación meteorológica|el jardinero|un capitán retirado|el juzgado",
        "V": "repara|describe|vende|olvida|mide|pinta|reúne|estudia|esconde|traduce|revisa|fotografía|explica|compara|"
             "protege|sustituye",
        "O": "el puente de madera|siete cajas de té|un mapa de la costa norte|la brújula rota|el informe anual|"
             "una carta sin terminar|tres llaves de latón|la humedad del sótano|una colección de conchas|"
             "el archivo de la ciudad|el huerto detrás del molino|una bicicleta sin frenos|el telescopio|"
             "el precio del cobre|los cañones del castillo",
        "P": "cerca del puerto|en la trastienda|al otro lado del río|detrás de la estación|junto al canal|"
             "al borde del bosque|en el segundo piso|fuera de las murallas",
        "T": "el lunes por la mañana|cada otoño|poco antes de la medianoche|en la primavera de 1871|"
             "tras un largo silencio|dos veces al año|desde el verano pasado|sin avisar",
        "C": "porque el río ha crecido|aunque nadie lo pidió|mientras los demás duermen|si el viento cambia|"
             "lo que sorprende a toda la calle|hasta que se acabe el dinero|pero los resultados son inciertos",
        "A": "con cuidado|de mala gana|una vez más|a mano|casi en silencio|demasiado tarde",
        "patterns": "$S $V $O $P.|$S $V $O, $C.|$T, $S $V $O.|$S $V $A $O $P.|«$S $V $O», dice $S.|"
                    "¿$S $V $O?|¡$S $V $O!|$T, $S $V $O $P, $C.",
    },
    "it": {
        "S": "il guardiano del faro|una giovane falegname|il sindaco|la mia vicina|il museo|l’orologiaio|la tipografia",
        "V": "ripara|descrive|vende|dimentica|misura|dipinge|raccoglie|studia|nasconde|traduce",
        "O": "il ponte di legno|sette casse di tè|una mappa della costa|la bussola rotta|il rapporto annuale|"
             "una lettera incompiuta|tre chiavi d’ottone|l’umidità della cantina",
        "P": "vicino al porto|nel retrobottega|oltre il fiume|dietro la stazione|lungo il canale|al secondo piano",
        "T": "lunedì mattina|ogni autunno|poco prima di mezzanotte|nella primavera del 1871|due volte l’anno",
        "C": "perché il fiume è salito|anche se nessuno l’ha chiesto|mentre gli altri dormono|finché c’è denaro",
        "A": "con cura|ancora una volta|a mano|troppo tardi",
        "patterns": "$S $V $O $P.|$S $V $O, $C.|$T, $S $V $O.|$S $V $A $O $P.|$T, $S $V $O $P, $C.",
    },
    "pl": {
        "S": "latarnik|młoda stolarka|burmistrz|moja sąsiadka|muzeum|zegarmistrz|drukarnia|ciekawskie dziecko",
        "V": "naprawia|opisuje|sprzedaje|mierzy|maluje|zbiera|bada|chowa|tłumaczy|sprawdza",
        "O": "drewniany most|siedem skrzyń herbaty|mapę północnego wybrzeża|zepsuty kompas|roczne sprawozdanie|"
             "niedokończony list|trzy mosiężne klucze|wilgotność piwnicy",
        "P": "przy porcie|na zapleczu|po drugiej stronie rzeki|za dworcem|wzdłuż kanału|na drugim piętrze",
        "T": "w poniedziałek rano|każdej jesieni|tuż przed północą|wiosną 1871 roku|dwa razy w roku",
        "C": "bo rzeka znów wezbrała|choć nikt o to nie prosił|podczas gdy inni śpią|póki starczy pieniędzy",
        "A": "starannie|niechętnie|jeszcze raz|ręcznie",
        "patterns": "$S $V $O $P.|$S $V $O, $C.|$T $S $V $O.|$S $A $V $O $P.|$T $S $V $O $P, $C.",
    },
    "tr": {
        "S": "deniz feneri bekçisi|genç bir marangoz|belediye başkanı|komşum|müze|saatçi|matbaa|meraklı bir çocuk",
        "V": "onarıyor|anlatıyor|satıyor|unutuyor|ölçüyor|boyuyor|topluyor|inceliyor|saklıyor|çeviriyor",
        "O": "ahşap köprüyü|yedi sandık çayı|kuzey kıyısının haritasını|kırık pusulayı|yıllık raporu|"
             "bitmemiş bir mektubu|üç pirinç anahtarı|kilerin nemini",
        "P": "limanın yanında|arka odada|nehrin öbür yakasında|istasyonun arkasında|ikinci katta|ıssız sokakta",
        "T": "pazartesi sabahı|her sonbahar|gece yarısından önce|1871 baharında|yılda iki kez",
        "C": "çünkü nehir yine yükseldi|ama kimse istemedi|diğerleri uyurken|para bitene kadar",
        "A": "özenle|istemeye istemeye|bir kez daha|elle",
        "patterns": "$S $P $O $V.|$T $S $O $V.|$S $A $O $V, $C.|$T $S $P $O $V, $C.",
    },
    "ru": {
        "S": "смотритель маяка|молодая плотница|мэр города|моя соседка|краеведческий музей|часовщик|типография|"
             "любопытный ребёнок|метеостанция|садовник",
        "V": "чинит|описывает|продаёт|забывает|измеряет|красит|собирает|изучает|прячет|переводит|проверяет",
        "O": "деревянный мост|семь ящиков чая|карту северного побережья|сломанный компас|годовой отчёт|"
             "неоконченное письмо|три латунных ключа|влажность погреба|коллекцию раковин|объявление",
        "P": "у пристани|в задней комнате|на другом берегу реки|за вокзалом|вдоль канала|на втором этаже",
        "T": "в понедельник утром|каждую осень|незадолго до полуночи|весной 1871 года|дважды в год",
        "C": "потому что река снова поднялась|хотя никто об этом не просил|пока остальные спят|"
             "но результаты остаются неясными",
        "A": "тщательно|неохотно|ещё раз|вручную",
        "patterns": "$S $V $O $P.|$S $V $O, $C.|$T $S $V $O.|$S $A $V $O $P.|$T $S $V $O $P, $C.|"
                    "«$S $V $O», — говорит $S.",
    },
    "uk": {
        "S": "доглядач маяка|молода тесля|міський голова|моя сусідка|музей|годинникар|друкарня|допитлива дитина",
        "V": "лагодить|описує|продає|вимірює|фарбує|збирає|вивчає|ховає|перекладає|перевіряє",
        "O": "дерев’яний міст|сім скринь чаю|мапу північного узбережжя|зламаний компас|річний звіт|"
             "недописаний лист|три латунні ключі|вологість льоху",
        "P": "біля пристані|у задній кімнаті|на тому березі річки|за вокзалом|уздовж каналу",
        "T": "у понеділок уранці|щоосені|незадовго до півночі|навесні 1871 року|двічі на рік",
        "C": "бо річка знову піднялася|хоча ніхто не просив|поки інші сплять|доки вистачить грошей",
        "A": "ретельно|неохоче|ще раз|вручну",
        "patterns": "$S $V $O $P.|$S $V $O, $C.|$T $S $V $O.|$S $A $V $O $P.|$T $S $V $O $P, $C.",
    },
    "el": {
        "S": "ο φαροφύλακας|μια νέα ξυλουργός|ο δήμαρχος|η γειτόνισσά μου|το μουσείο|ο ωρολογοποιός|το τυπογραφείο",
        "V": "επισκευάζει|περιγράφει|πουλάει|ξεχνάει|μετράει|βάφει|μαζεύει|μελετά|κρύβει|μεταφράζει",
        "O": "την ξύλινη γέφυρα|επτά κιβώτια τσάι|έναν χάρτη της βόρειας ακτής|τη σπασμένη πυξίδα|"
             "την ετήσια έκθεση|ένα ημιτελές γράμμα|τρία μπρούντζινα κλειδιά",
        "P": "κοντά στο λιμάνι|στο πίσω δωμάτιο|στην άλλη όχθη του ποταμού|πίσω από τον σταθμό|δίπλα στο κανάλι",
        "T": "τη Δευτέρα το πρωί|κάθε φθινόπωρο|λίγο πριν τα μεσάνυχτα|την άνοιξη του 1871|δύο φορές τον χρόνο",
        "C": "επειδή ο ποταμός ανέβηκε πάλι|αν και κανείς δεν το ζήτησε|ενώ οι άλλοι κοιμούνται",
        "A": "προσεκτικά|απρόθυμα|άλλη μια φορά|με το χέρι",
        "patterns": "$S $V $O $P.|$S $V $O, $C.|$T $S $V $O.|$S $V $A $O $P.|$T $S $V $O $P, $C.",
    },
    "ar": {
        "S": "حارس المنارة|رئيس البلدية|المتحف|صانع الساعات|طفل فضولي",
        "V": "يصلح|يصف|يبيع|ينسى|يقيس|يجمع|يدرس|يخفي|يترجم|يفحص",
        "O": "الجسر الخشبي|سبعة صناديق من الشاي|خريطة الساحل الشمالي|البوصلة المكسورة|التقرير السنوي|"
             "رسالة لم تكتمل|ثلاثة مفاتيح نحاسية|رطوبة القبو",
        "P": "قرب الميناء|في الغرفة الخلفية|على الضفة الأخرى من النهر|خلف المحطة|على طول القناة",
        "T": "صباح الاثنين|كل خريف|قبيل منتصف الليل|في ربيع عام ١٨٧١|مرتين في السنة",
        "C": "لأن النهر ارتفع من جديد|مع أن أحدا لم يطلب ذلك|بينما ينام الآخرون",
        "A": "بعناية|على مضض|مرة أخرى|باليد",
        "patterns": "$S $V $O $P.|$S $V $O، $C.|$T $V $S $O.|$S $V $O $A $P.",
    },
    "he": {
        "S": "שומר המגדלור|ראש העיר|המוזיאון|השען|בית הדפוס|ילד סקרן",
        "V": "מתקן|מתאר|מוכר|שוכח|מודד|צובע|אוסף|חוקר|מסתיר|מתרגם",
        "O": "את גשר העץ|שבעה ארגזי תה|מפה של החוף הצפוני|את המצפן השבור|את הדוח השנתי|מכתב שלא הושלם|"
             "שלושה מפתחות פליז",
        "P": "ליד הנמל|בחדר האחורי|מעבר לנהר|מאחורי התחנה|לאורך התעלה",
        "T": "ביום שני בבוקר|בכל סתיו|מעט לפני חצות|באביב 1871|פעמיים בשנה",
        "C": "כי הנהר עלה שוב|אף שאיש לא ביקש|בזמן שהאחרים ישנים",
        "A": "בקפידה|שוב|ביד|באיחור",
        "patterns": "$S $V $O $P.|$S $V $O, $C.|$T $S $V $O.|$S $V $O $A $P.",
    },
    "hi": {
        "S": "दीपस्तंभ का रखवाला|युवा बढ़ई|नगर का महापौर|संग्रहालय|घड़ीसाज़|छापाखाना|जिज्ञासु बच्चा",
        "V": "ठीक करता है|बताता है|बेचता है|भूल जाता है|नापता है|रँगता है|जमा करता है|पढ़ता है|छिपाता है",
        "O": "लकड़ी का पुल|चाय की सात पेटियाँ|उत्तरी तट का नक्शा|टूटा हुआ कंपास|वार्षिक विवरण|अधूरा पत्र|"
             "पीतल की तीन चाबियाँ",
        "P": "बंदरगाह के पास|पिछले कमरे में|नदी के उस पार|स्टेशन के पीछे|नहर के किनारे",
        "T": "सोमवार की सुबह|हर शरद में|आधी रात से पहले|१८७१ के वसंत में|साल में दो बार",
        "C": "क्योंकि नदी फिर चढ़ गई है|हालाँकि किसी ने कहा नहीं|जब बाकी सो रहे हैं",
        "A": "ध्यान से|अनिच्छा से|एक बार फिर|हाथ से",
        "patterns": "$S $P $O $V।|$T $S $O $V।|$S $A $O $V, $C।|$T $S $P $O $V, $C।",
    },
    "zh": {
        "S": "灯塔看守人|年轻的木匠|市长|我的邻居|博物馆|钟表匠|印刷厂|好奇的孩子|气象站|园丁",
        "V": "修理|描述|出售|忘记|测量|粉刷|收集|研究|藏起|翻译|检查",
        "O": "那座木桥|七箱茶叶|北海岸的地图|坏了的指南针|年度报告|一封没写完的信|三把铜钥匙|地窖的湿度|一盒贝壳",
        "P": "在港口附近|在后屋里|在河对岸|在车站后面|沿着运河|在二楼",
        "T": "星期一早晨|每年秋天|午夜之前|一八七一年春天|一年两次",
        "C": "因为河水又涨了|虽然没有人要求|而其他人还在睡觉|直到钱用完为止",
        "A": "仔细地|不情愿地|再一次|亲手",
        "patterns": "$S$P$V$O。|$S$V$O，$C。|$T，$S$V$O。|$S$A$V$O。|$T，$S$P$V$O，$C。|“$S$V$O。”$S说。",
    },
    "ja": {
        "S": "灯台守|若い大工|市長|隣の人|博物館|時計職人|印刷所|好奇心の強い子ども|測候所|庭師",
        "V": "を直す|を描く|を売る|を忘れる|を測る|を塗る|を集める|を調べる|を隠す|を訳す",
        "O": "木の橋|お茶の箱七つ|北の海岸の地図|壊れたコンパス|年次報告書|書きかけの手紙|真鍮の鍵三本|地下室の湿度",
        "P": "港の近くで|奥の部屋で|川の向こうで|駅の裏で|運河のほとりで|二階で",
        "T": "月曜の朝|毎年秋に|真夜中の少し前に|一八七一年の春に|年に二度",
        "C": "川がまた増水したから|誰も頼んでいないのに|ほかの人が眠っている間に",
        "A": "丁寧に|しぶしぶ|もう一度|手で",
        "patterns": "$Sは$P$O$V。|$C、$Sは$O$V。|$T、$Sは$O$V。|$Sは$A$O$V。|$T、$C、$Sは$P$O$V。|「$Sは$O$V」と$Sは言う。",
    },
    "ko": {
        "S": "등대지기는|젊은 목수는|시장은|이웃은|박물관은|시계공은|인쇄소는|호기심 많은 아이는",
        "V": "고친다|설명한다|판다|잊는다|잰다|칠한다|모은다|연구한다|숨긴다|옮긴다",
        "O": "나무 다리를|차 일곱 상자를|북쪽 해안의 지도를|고장 난 나침반을|연례 보고서를|쓰다 만 편지를|"
             "놋쇠 열쇠 세 개를",
        "P": "항구 근처에서|뒷방에서|강 건너에서|역 뒤에서|운하를 따라",
        "T": "월요일 아침|해마다 가을이면|자정 조금 전에|1871년 봄에|일 년에 두 번",
        "C": "강물이 다시 불었기 때문에|아무도 부탁하지 않았지만|다른 사람들이 자는 동안",
        "A": "조심스럽게|마지못해|다시 한번|손으로",
        "patterns": "$S $P $O $V.|$C $S $O $V.|$T $S $O $V.|$S $A $O $V.|$T $C $S $P $O $V.",
    },
}
